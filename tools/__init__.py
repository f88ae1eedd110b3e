"""Tools run from a checkout: corpus and scene building, export, benchmarks."""
