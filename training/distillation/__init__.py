"""Small towers that learn what large ones make of sound and text."""
