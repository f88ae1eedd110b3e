"""What is minimized: the losses, their views, and their gradients in chunks."""
