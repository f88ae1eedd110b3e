"""Servers of several rooms that hear the same."""
