"""How well known voices are told from others."""
