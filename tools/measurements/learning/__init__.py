"""How much a model gains by learning in place: protocols and the methods that were compared."""
