"""Several rooms hear it, one answers: how the servers of a house agree. No clock, no network."""
