"""Arms, folds and seeds: the evidence that an objective helps, or that it does not."""
