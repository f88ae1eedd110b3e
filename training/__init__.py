"""How Turbo learns."""
