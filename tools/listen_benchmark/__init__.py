"""What `tools/benchmark_listen` measures, one kind of measurement a file."""
