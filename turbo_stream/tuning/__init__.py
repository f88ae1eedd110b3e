"""What fits a device to its room and its people: the threshold, the sound of its name."""
