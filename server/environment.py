"""Reading the settings from the environment, once, at the start."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from server.errors import BadSettings
from server.settings import Settings

_PREFIX = "SAMSERVE_"
_UNPREFIXED = {
    "label_studio_url": ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", "LABEL_STUDIO_HOSTNAME", "HEARTEX_HOSTNAME"),
    "label_studio_host": ("LABEL_STUDIO_HOST",),
    "label_studio_api_key": ("LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN", "HEARTEX_API_KEY"),
    "label_studio_local_files_document_root": (
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
        "HEARTEX_LOCAL_FILES_DOCUMENT_ROOT",
        "LOCAL_FILES_DOCUMENT_ROOT",
    ),
    "basic_auth_user": ("BASIC_AUTH_USER",),
    "basic_auth_pass": ("BASIC_AUTH_PASS",),
}
_LISTS = ("allow_hosts", "buckets", "gpus")
# what Kubernetes puts into each container for each Service of its namespace, after the Service's name
_OF_A_SERVICE = r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?"


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return _UNPREFIXED.get(field, (_PREFIX + field.upper(),))[0]


def read_settings(environment: Mapping[str, str], **overrides: Any) -> Settings:
    """The settings that `environment` holds; `overrides` that are not None win.

    Raises:
        BadSettings: an unknown SAMSERVE_ variable, or a value that does not parse.
    """
    values = _given(environment) | {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].strip("`")
        raise BadSettings(f"{variable(field)}: {str(error).partition(' - at')[0]}{_choices(field)}") from None
    _check(settings)
    return settings


def _given(environment: Mapping[str, str]) -> dict[str, Any]:
    known = set(Settings.__struct_fields__) - set(_UNPREFIXED)
    values: dict[str, Any] = {}
    if environment.get("XDG_CACHE_HOME"):
        values["cache_dir"] = f"{environment['XDG_CACHE_HOME']}/samserve"
    services = _services(environment)
    for given, text in environment.items():
        if not given.startswith(_PREFIX) or _is_of_a_service(given, text, services):
            continue
        name = given.removeprefix(_PREFIX).lower()
        if name not in known:
            raise BadSettings(f"there is no setting {given}{_suggestion(name, known)}")
        values[name] = _entries(text) if name in _LISTS else text
    for name, variables in _UNPREFIXED.items():
        values[name] = next((environment[key].strip() for key in variables if environment.get(key)), "")
    return values


def _services(environment: Mapping[str, str]) -> list[str]:
    """The Services of Kubernetes that the environment tells of; one called samserve or samserve-gpu has our prefix."""
    hosts = (name.removesuffix("_SERVICE_HOST") for name in environment if name.endswith("_SERVICE_HOST"))
    return [service for service in hosts if f"{service}_SERVICE_PORT" in environment]


def _is_of_a_service(name: str, text: str, services: list[str]) -> bool:
    if not any(re.fullmatch(re.escape(service) + f"({_OF_A_SERVICE})", name) for service in services):
        return False
    return name != "SAMSERVE_PORT" or "://" in text  # the pod's own SAMSERVE_PORT takes the place of the Service's


def _check(settings: Settings) -> None:
    for name in ("label_studio_url", "label_studio_host"):
        if url := getattr(settings, name):
            _check_url(variable(name), url)
    if bool(settings.basic_auth_user) != bool(settings.basic_auth_pass):
        raise BadSettings("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: set both or neither")
    if ":" in settings.basic_auth_user:
        raise BadSettings("BASIC_AUTH_USER cannot have a colon in it")
    if not settings.gpus or min(settings.gpus) < 0 or len(set(settings.gpus)) < len(settings.gpus):
        raise BadSettings("SAMSERVE_GPUS must name GPUs by their numbers, each once, such as 0,1")
    if settings.base_path and not settings.base_path.startswith("/"):
        raise BadSettings("SAMSERVE_BASE_PATH must start with a slash, such as /sam")


def _check_url(name: str, url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise BadSettings(f"{name} must start with http:// or https://")
    try:
        is_url = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise BadSettings(f"{name} is no URL such as https://studio.example.com:8080")


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _choices(field: str) -> str:
    hint = get_type_hints(Settings).get(field)
    return f"; there are {', '.join(get_args(hint))}" if get_origin(hint) is Literal else ""


def _suggestion(name: str, known: set[str]) -> str:
    if name in _UNPREFIXED:
        return f"; did you mean {name.upper()}?"
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"; did you mean {_PREFIX}{close[0].upper()}?"
        if close
        else f"; there are {', '.join(sorted(_PREFIX + k.upper() for k in known))}"
    )
