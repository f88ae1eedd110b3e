"""What `turbo-eval` finds out about a model on a corpus: figures, plots, report, comparison."""
