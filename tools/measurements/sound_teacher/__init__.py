"""What a larger recognizer's encoder knows of speech that is new to it, by its sound."""
