"""Model graphs: where they come from, and how they are verified."""
