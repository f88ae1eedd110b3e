"""How far the exported graphs are from the network they came from, and what they cost."""
