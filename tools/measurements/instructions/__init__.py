"""How many instructions each step takes: what stays true on a processor of another speed."""
