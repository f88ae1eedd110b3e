"""Finds what keeps this machine from listening, and says how to get it."""
