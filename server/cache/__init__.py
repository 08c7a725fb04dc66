"""Where embeddings are kept."""
