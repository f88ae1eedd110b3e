"""Imagined sessions of scored clips: what a prior on follow-ups is fitted to and judged on."""
