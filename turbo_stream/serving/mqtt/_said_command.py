"""What the device says, told by a message of the broker."""

from typing import Protocol

SAID = "said/set"
"""The topic on which others say what the device says, as a text."""


class Speaking(Protocol):
    """Who can be told what the device says: the hub."""

    def said(self, text: str) -> None:
        """Take note of `text`."""
        ...


class SaidCommand:
    """Hands on what is published on one topic. It is repeated nowhere."""

    def __init__(self, device: Speaking) -> None:
        self._device = device

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Take note of `payload`, in UTF-8; what was retained is old, and was not said now."""
        if not retained:
            self._device.said(payload.decode("utf-8", "replace"))
