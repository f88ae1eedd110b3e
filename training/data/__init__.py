"""Rows, texts, names and channels, drawn into batches."""
