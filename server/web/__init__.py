"""The HTTP face: routes, request schemas, error translation."""
