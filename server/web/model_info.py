"""What callers are told about the model."""

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """Its name, the version that follows its weights, what runs it, its decoder, and whether a password is needed.

    Attributes:
        chooses: whether the decoder gives several masks to choose from.
    """

    title: str
    version: str
    provider: str
    decoder: str
    chooses: bool
    has_password: bool = False
