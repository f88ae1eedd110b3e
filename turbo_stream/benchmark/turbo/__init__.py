"""The classifier alone."""
