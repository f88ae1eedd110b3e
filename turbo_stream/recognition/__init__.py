"""From an utterance to its text: Whisper, PocketSphinx, or none."""
