"""Attacks on the promises: short in the ordinary run, as long as wanted with `make attack`."""
