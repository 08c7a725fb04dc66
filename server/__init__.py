"""samserve: a low-latency Segment Anything backend for Label Studio's smart tools."""

__version__ = "0.1.0"
