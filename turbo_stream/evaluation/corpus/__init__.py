"""Recordings by manifest, their samples, and the conditions they are put under."""
