"""What callers are told about the model."""

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """Its name, the version that follows its weights, the execution provider that runs it, and the decoder in use."""

    title: str
    version: str
    provider: str
    decoder: str
