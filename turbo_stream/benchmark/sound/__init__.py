"""What a benchmark listens to."""
