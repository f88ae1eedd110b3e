"""What a larger text encoder knows of speech that is new to it."""
