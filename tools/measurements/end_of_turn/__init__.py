"""What ending utterances sooner costs: streams, judges and rules of `tools.measurements.end_of_turn`."""
