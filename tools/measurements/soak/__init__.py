"""Days of sound, as fast as it goes."""
