"""Words cut out of utterances, both classes alike: how a word is said, and nothing else."""
