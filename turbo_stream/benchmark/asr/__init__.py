"""The recognizer alone."""
