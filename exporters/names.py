"""The families and precisions that can be asked for; no torch here, so that the command's help needs none."""

FAMILIES = {
    "sam": "exporters.families.sam",
    "hq_sam": "exporters.families.hq_sam",
    "sam2": "exporters.families.sam2",
    "efficient_sam": "exporters.families.efficient_sam",
}
PRECISIONS = ("fp32", "fp16", "bf16", "int8")
