"""From figures to pages and pictures."""
