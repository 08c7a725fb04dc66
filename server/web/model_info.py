"""What callers are told about the model."""

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """Its name, the version that follows its weights, what runs it, its decoder, and whether a password is needed."""

    title: str
    version: str
    provider: str
    decoder: str
    has_password: bool = False
