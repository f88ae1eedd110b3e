"""Folds are files: which rows test, which choose, and what must stay apart."""
