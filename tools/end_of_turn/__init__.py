"""What ending utterances sooner costs: streams, judges and rules of `tools.measure_end_of_turn`."""
