"""Image bytes, from wherever Label Studio keeps them."""
