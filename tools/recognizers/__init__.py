"""Recognizers that are made here: Whisper folders and PocketSphinx language models."""
