"""From an utterance to its decision."""
