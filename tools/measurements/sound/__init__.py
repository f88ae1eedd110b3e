"""What is done to the sound."""
