"""Families by the name that manifests use."""

from server.errors import ModelUnusable
from server.models import sam, sam2
from server.models.family import ModelFamily

_FAMILIES: dict[str, ModelFamily] = {"sam": sam, "sam2": sam2}


def family(name: str) -> ModelFamily:
    """The family called `name`.

    Raises:
        ModelUnusable: this version knows no such family.
    """
    if name not in _FAMILIES:
        raise ModelUnusable(f"unknown model family {name!r}; this version knows {', '.join(_FAMILIES)}")
    return _FAMILIES[name]
