"""From a training run to a model package: graph, INT8, parity, card."""
