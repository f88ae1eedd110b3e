"""What can be wrong with the network asked for."""

from __future__ import annotations


class ModelError(ValueError):
    """The network asked for cannot be built; the message is one line and says what to do."""
