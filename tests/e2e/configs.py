"""Labeling configs: the smart tools, and one control that holds the answer."""

_LABEL = '<Label value="Object" background="#1e78ff"/>'


def config(output: str) -> str:
    """The config that the README recommends, for an output such as Bitmask: labels on each control."""
    controls = [("KeyPoint", 'name="click" smart="true"'), ("Rectangle", 'name="box" smart="true"')]
    controls.append((output, 'name="mask"'))
    tags = [f'<{tag}Labels {more} toName="image">{_LABEL}</{tag}Labels>' for tag, more in controls]
    return f'<View><Image name="image" value="$image"/>{"".join(tags)}</View>'


def config_with_separate_labels(output: str) -> str:
    """Labels in a tag of their own, shared by all controls."""
    controls = [("KeyPoint", 'name="click" smart="true"'), ("Rectangle", 'name="box" smart="true"')]
    controls.append((output, 'name="mask"'))
    tags = [f'<{tag} {more} toName="image"/>' for tag, more in controls]
    labels = f'<Labels name="label" toName="image">{_LABEL}</Labels>'
    return f'<View><Image name="image" value="$image"/>{labels}{"".join(tags)}</View>'
