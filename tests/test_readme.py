"""The README's settings are the ones there are."""

import typing
from pathlib import Path

import msgspec

from server.environment import variable
from server.settings import Settings

README = Path(__file__).parents[1] / "README.md"


def settings_table() -> str:
    """One row per setting, from the settings themselves."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = next(m for m in typing.get_args(hints[field.name])[1:] if isinstance(m, msgspec.Meta) and m.description)
        default = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
        default = f"`{default}`" if default != "" else ""
        rows.append(f"| `{variable(field.name)}` | {default} | {meta.description} |")
    return "\n".join(rows)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    assert settings_table() in README.read_text(), "put this table into README.md:\n" + settings_table()
