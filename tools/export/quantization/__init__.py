"""INT8 graphs from float ones."""
