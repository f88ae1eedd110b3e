"""What the turn before tells of an utterance."""
