"""How words sound: letters to sounds from CMUdict, and which sounds a recognizer confuses."""
