"""Speech kept on this machine for a person to label, only where its owner asks for it."""
