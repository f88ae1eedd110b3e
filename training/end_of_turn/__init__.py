"""A head that hears whether a speaker has finished."""
