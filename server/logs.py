"""Where log lines go and what they look like."""

import logging
import sys

import structlog


def set_up_logs(*, debug: bool, quiet: bool = False) -> None:
    """Lines for people on a terminal, JSON elsewhere; both on stderr. `quiet` leaves warnings and worse."""
    level = logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not terminal),
            *([] if terminal else [structlog.processors.format_exc_info]),
            _for_people() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.INFO if debug else logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs URLs, and the secrets in their queries


def _for_people() -> structlog.dev.ConsoleRenderer:
    """Without the local variables that rich would show in tracebacks: requests and passwords are among them."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
