"""The models on this machine: what is there, how large, and whether it is what it should be."""
