"""How the device is addressed, set by a message of the broker."""

from collections.abc import Callable
from typing import Protocol

from turbo_stream.addressing.address import Address
from turbo_stream.serving.mqtt._refusals import Refusals


class Addressed(Protocol):
    """Whose way to be addressed can be looked at and set: the hub."""

    @property
    def address(self) -> Address:
        """How it is addressed now."""
        ...

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What it may be set to."""
        ...

    def set_address(self, address: str) -> None:
        """Set it to one of these."""
        ...


class AddressCommand:
    """Obeys what is published on one topic: the name of a mode, and nothing else."""

    def __init__(self, device: Addressed, topic: str, say: Callable[[str], None]) -> None:
        """Set `device`; `say` is told in one line what was set, and that something was refused."""
        self._device = device
        self._topic = topic
        self._say = say
        self._refusals = Refusals(topic, say)

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Obey `payload`; an empty one is none."""
        if not payload:
            return
        if retained:
            # It may be a year old, and would come again at each connection.
            self._refusals.tell("was retained, and may be old: publish it without")
            return
        modes = {mode.encode(): mode for mode in self._device.addresses}
        mode = modes.get(payload)
        if mode is None:
            self._refusals.tell(
                f"is nothing that can be set; publish {' or '.join(modes.values())}"
            )
            return
        self._refusals.forget()
        if mode != self._device.address:
            self._device.set_address(mode)
            self._say(f"`address` is {mode} from now on, as was published on {self._topic}")
