"""Whether an utterance calls the device by its name, and how."""
