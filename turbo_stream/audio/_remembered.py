"""Which device one was, so that it is known again among others of its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turbo_stream.audio.devices import Device

_CARD = re.compile(r"\(hw:(\d+),(\d+)\)$")
"""How PortAudio ends the name of an ALSA device: the number that its card has this time."""


@dataclass(frozen=True)
class Remembered:
    """A device, and those beside it that only look like it."""

    device: Device
    place: str
    """Of the device, see `place_of`."""

    others: tuple[tuple[int, str], ...]
    """Index and place of the devices that looked alike when this one was chosen."""

    @classmethod
    def among(cls, device: Device, devices: list[Device]) -> Remembered:
        """Remember `device`, one of the `devices` that are there now."""
        others = [other for other in devices if _look(other) == _look(device)]
        return cls(
            device,
            place_of(device),
            tuple((other.index, place_of(other)) for other in others if other != device),
        )

    def find(self, devices: list[Device]) -> Device | None:
        """Return the device among the `devices` that are there now.

        None if it is not there, and where it could as well be one of the others.
        """
        alike = [other for other in devices if _look(other) == _look(self.device)]
        twins = [index for index, place in self.others if place == self.place]
        if twins:
            # Nothing but the order tells them apart, and that only while all of them are there.
            if len(alike) != len(self.others) + 1:
                return None
            same = [other for other in alike if place_of(other) == self.place]
            rank = sum(index < self.device.index for index in twins)
            return same[rank] if len(same) == len(twins) + 1 else None
        if same := [other for other in alike if place_of(other) == self.place]:
            return same[0] if len(same) == 1 else None
        taken = {place for _, place in self.others}
        moved = [other for other in alike if place_of(other) not in taken]
        return moved[0] if len(moved) == 1 else None

    def surely(self, found: Device) -> bool:
        """Return whether `found` is the device itself, not just the only one that looks like it."""
        return place_of(found) == self.place and all(p != self.place for _, p in self.others)


def place_of(device: Device) -> str:
    """Return where `device` is plugged in; its name where the system does not say."""
    card = _CARD.search(device.name)
    if card is None:
        return device.name
    port = _port(int(card[1]))
    # Not the card's number, which is given to whatever is plugged in next.
    return device.name if port is None else f"{port},{card[2]}"


def _port(card: int) -> Path | None:
    """Return the system's path of what ALSA calls the card of that number, if it has one."""
    link = Path(f"/sys/class/sound/card{card}/device")
    return link.resolve() if link.exists() else None


def _look(device: Device) -> tuple[str, str, int]:
    """Return what stays the same of a device that comes back, and is the same of another one."""
    return _CARD.sub(r"(hw:*,\2)", device.name), device.host_api, device.channels
