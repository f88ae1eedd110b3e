"""Turbo in PyTorch: two towers and their fusion."""
