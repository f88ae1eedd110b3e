"""How fast the installed product is on this machine: what `turbo-bench` measures."""
