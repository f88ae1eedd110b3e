"""Judges a model package on recordings: what a researcher asks before believing a figure."""
