"""What it costs and saves to reject by the sound alone, before any text is made."""
