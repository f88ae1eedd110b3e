"""How well speech in other languages is decided: by sound, as heard, and by its translation."""
