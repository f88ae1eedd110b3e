"""How a command shows events: JSON lines, plain lines, or a live screen."""
