"""The sign that stands in a text for the words that are the device's own name."""

OWN_NAME = "\ue000"
"""A sign that nobody writes: of the private use area of Unicode."""
