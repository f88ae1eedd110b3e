"""Whether a rejected line that is said again at once can be taken for a missed command."""
