"""Known voices, by consent: whose an accepted utterance was, by a small speaker encoder."""
