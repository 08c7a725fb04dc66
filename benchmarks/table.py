"""Tables of text, aligned for a terminal or in Markdown."""

from collections.abc import Sequence

Row = Sequence[str]


def text_table(header: Row, rows: Sequence[Row]) -> str:
    """Columns two spaces apart; the first is flush left, the others right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in (header, *rows))
    )


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """As GitHub shows it."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


def number(value: float, digits: int = 1) -> str:
    """Empty for NaN."""
    return "" if value != value else f"{value:.{digits}f}"  # noqa: PLR0124 - NaN is what differs from itself
