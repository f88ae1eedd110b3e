"""How near, how fast and how good the recognizer's states are in place of a tower of one's own."""
