"""What is said of messages that are not obeyed."""

from collections.abc import Callable


class Refusals:
    """Of one topic: anybody at the broker can send there, so the same is not told again and again.

    No line repeats what was published.
    """

    def __init__(self, topic: str, say: Callable[[str], None]) -> None:
        self._topic = topic
        self._say = say
        self._told: str | None = None

    def admits(self, payload: bytes, *, retained: bool) -> bool:
        """Return whether `payload` is to be obeyed; an empty one is none."""
        if payload and retained:
            # It may be a year old, and would come again at each connection.
            self.tell("was retained, and may be old: publish it without")
        return bool(payload) and not retained

    def tell(self, why: str) -> None:
        """Say in one line that the last message was not obeyed, and `why`."""
        if why != self._told:
            self._told = why
            self._say(f"what was published on {self._topic} {why}")

    def forget(self) -> None:
        """Tell the next one in any case: a message was obeyed since."""
        self._told = None
