"""Turbo in PyTorch: two towers, one verdict."""
