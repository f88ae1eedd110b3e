"""Writes the pages of docs/reference that follow from the code: settings, commands, Python API."""
