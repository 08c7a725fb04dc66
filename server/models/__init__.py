"""How model families differ: pure functions between pixels, tensors and masks."""
