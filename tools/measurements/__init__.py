"""One-off measurements, one folder a topic; docs/lab holds what they found."""
