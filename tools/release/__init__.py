"""What belongs to the package that ships, and to it alone: its card, its wheels."""
