"""Learning in place: a small head on the model's vectors, fitted to a person's corrections."""
