"""SAM 2 in torch, in the halves that the server runs."""
