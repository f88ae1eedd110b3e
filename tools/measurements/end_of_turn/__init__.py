"""What ending utterances sooner costs: streams, judges of pauses, and rules."""
