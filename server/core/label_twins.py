"""The label of a region whose control has none of its own, where the config has a separate <Labels>."""

from collections.abc import Iterator, Sequence

import msgspec

from server.core.labelconfig import ControlTag, LabelConfig
from server.core.region import Region


def with_labels(
    regions: Sequence[Region], control: ControlTag, config: LabelConfig, labels: Sequence[str]
) -> list[Region]:
    """The regions of `control`, each followed by an item of the same id that holds the prompt's labels.

    The editor shows items of one id as one region. Nothing is added where the control has labels itself, or where no
    <Labels> of the same object has any of `labels`.
    """
    if control.kind.endswith("Labels"):
        return list(regions)
    return [item for region in regions for item in (region, *_twins(region, config, labels))]


def _twins(region: Region, config: LabelConfig, labels: Sequence[str]) -> Iterator[Region]:
    for tag in config.controls:
        known = [label for label in labels if label in tag.labels]
        if tag.kind == "Labels" and region.to_name in tag.to_names and known:
            yield msgspec.structs.replace(region, from_name=tag.name, type="labels", value={"labels": known})
