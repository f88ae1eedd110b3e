"""How a device is addressed: its name in what was said, and the conversation that follows."""
