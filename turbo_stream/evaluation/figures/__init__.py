"""From scored rows to figures."""
