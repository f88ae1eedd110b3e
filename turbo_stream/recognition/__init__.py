"""From an utterance to its text: Whisper, Moonshine, PocketSphinx, or none."""
