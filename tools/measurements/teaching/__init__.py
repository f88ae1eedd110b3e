"""Whether a name is found more often after it was taught."""
