"""How the connection to the broker fares: when to try again, and what is worth a line."""

from collections.abc import Callable
from time import monotonic
from typing import Literal

from turbo_stream.serving.mqtt._config import MqttConfig

Trouble = Literal["away", "refused", "taken"]
"""The broker cannot be reached, wants nothing of us, or gave our name to another connection."""

_TAKEN_AFTER = 2
"""A broker that does not say why it ends connections: so many short ones in a row are no accident.
One that is restarted cannot be reached in between."""


class Link:
    """Follows one connection after the other.

    Two servers of one name would take it from each other for ever: whoever has lost it so comes
    back after the longest wait only.
    """

    def __init__(
        self,
        config: MqttConfig,
        say: Callable[[str], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._config = config
        self._say = say
        self._clock = clock
        self._retry_s = config.first_retry_s
        self._made_at_s: float | None = None
        self._short = 0
        self._told: Trouble | None = None
        self.ever_made = False
        """Whether there was a connection since the start."""

    def made(self) -> bool:
        """Note a new connection; return whether that is news for who was told of trouble."""
        self._made_at_s, self.ever_made = self._clock(), True
        if self._told in (None, "taken"):
            return False
        self._told = None
        return True

    def taken(self) -> None:
        """Note that another client of the same name was connected since we last were."""
        if self._told != "taken":
            self._tell("taken", "")

    def broken(self, trouble: Trouble, reason: str) -> float:
        """Note that a connection ended or was not made; return how long to wait for the next."""
        lasted_s = None if self._made_at_s is None else self._clock() - self._made_at_s
        self._made_at_s = None
        trouble = self._judged(trouble, lasted_s)
        if trouble == "taken":
            self._retry_s = self._config.longest_retry_s
        elif lasted_s is not None and lasted_s >= self._config.short_s:
            self._retry_s = self._config.first_retry_s
        if trouble != self._told:
            self._tell(trouble, reason)
        wait_s = self._retry_s
        self._retry_s = min(2 * wait_s, self._config.longest_retry_s)
        return wait_s

    def _judged(self, trouble: Trouble, lasted_s: float | None) -> Trouble:
        """Return what the trouble is, as far as the connections before say."""
        if lasted_s is None:
            self._short = 0
            return trouble
        self._short = self._short + 1 if lasted_s < self._config.short_s else 0
        # The other one waits as long as we do, and a little longer while it connects.
        still_taken = self._told == "taken" and lasted_s < 3 * self._config.longest_retry_s
        return "taken" if still_taken or self._short >= _TAKEN_AFTER else trouble

    def _tell(self, trouble: Trouble, reason: str) -> None:
        self._told = trouble
        config = self._config
        broker = f"the MQTT broker {config.address}"
        match trouble:
            case "taken":
                self._say(
                    f"{broker} gives this connection to another server of the name "
                    f"{config.client}: give each a `mqtt_node` of its own; trying again every "
                    f"{config.longest_retry_s:g} s"
                )
            case "refused":
                self._say(f"{broker} refuses ({reason}); trying again")
            case _:
                gone = "away" if self.ever_made else "not there yet"
                self._say(f"{broker} is {gone} ({reason}); trying again")
