"""What callers are told about the model."""

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """Its name, the version that follows its weights, and the execution provider that runs it."""

    title: str
    version: str
    provider: str
