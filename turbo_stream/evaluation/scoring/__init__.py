"""From a manifest's rows to scored rows, in one process or many."""
