"""The families and precisions that can be asked for; no torch here, so that the command's help needs none."""

FAMILIES = {"sam": "exporters.families.sam", "sam2": "exporters.families.sam2"}
PRECISIONS = ("fp32",)
