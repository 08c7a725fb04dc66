"""What callers are told about the model."""

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """Its name, the version that follows its weights, what runs it, and whether callers must give a password."""

    title: str
    version: str
    provider: str
    has_password: bool = False
