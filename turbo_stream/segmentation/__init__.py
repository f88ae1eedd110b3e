"""From a stream of samples to utterances: voice activity, onset, endpoint."""
