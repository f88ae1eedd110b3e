"""What a text tower loses with the word pieces that it lacks."""
