"""The live shell: listening on threads, and working ahead so that decisions come in time."""
