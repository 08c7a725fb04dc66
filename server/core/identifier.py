"""Identifiers such as the editor's own."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits + "_-"


def new_id() -> str:
    """Ten random characters, 60 bits: an answer that repeated a region's id would replace that region."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))
