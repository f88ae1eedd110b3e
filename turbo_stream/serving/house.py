"""The rooms of a house, seen from this server: who answers what several of them heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex

from turbo_stream.events import Utterance
from turbo_stream.house.agreement import Act, Agreement, Output, Say, Timing, Yield
from turbo_stream.house.claim import Claim
from turbo_stream.house.message import Message

_LATE_S = 0.05
"""A timer that comes so much too late says that this process has stood still: what it waited for
may have arrived, and is heard first."""


@dataclass(frozen=True)
class Settled:
    """An accepted utterance, once it is known who answers it."""

    utterance: Utterance
    handed_on: Callable[[], None]
    """To be called when everybody here has been told of it."""


class House:
    """Lets this server's streams agree with each other and with the servers of other rooms.

    Whoever has a connection to the broker calls `connect`, hands on what arrives (`hear`), and
    calls `disconnect` when it breaks. Lives in one event loop.
    """

    def __init__(self, room: str, timing: Timing | None = None) -> None:
        """Begin without a connection; others are told of this server as `room`."""
        self.room = room
        self._agreement = Agreement(timing)
        self._send: Callable[[bytes], None] | None = None
        self._awaited: dict[str, asyncio.Future[str | None]] = {}
        """By its claim: the room that answers, None for this one."""
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, send: Callable[[bytes], None]) -> None:
        """Note that what is given to `send` reaches all rooms, this one too."""
        self._send = send
        self._agreement.connect()

    def disconnect(self) -> None:
        """Note that nothing reaches the other rooms: this one answers what it hears."""
        self._send = None
        self._do(self._agreement.disconnect())

    def hear(self, payload: bytes) -> None:
        """Take in what another room, or this one, has sent; passes over what is no message."""
        now_s = asyncio.get_running_loop().time()
        message = Message.from_bytes(payload, now_s)
        if message is not None:
            self._do(self._agreement.hear(message, now_s))

    async def settle(self, utterance: Utterance, ear: str, ended_s: float) -> Settled:
        """Wait until it is known who answers `utterance`, which was accepted.

        Args:
            utterance: with `over_noise_db` and a score.
            ear: the stream it was heard in.
            ended_s: when its last sound came in, on the loop's clock.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        claim = Claim(
            id=token_hex(8),
            room=self.room,
            ear=ear,
            over_noise_db=round(utterance.over_noise_db or 0.0, 1),
            score=round(utterance.directed_probability or 0.0, 4),
            ended_s=ended_s,
        )
        answer = self._awaited[claim.id] = loop.create_future()
        try:
            self._do(self._agreement.claim(claim, began_s))
            room = await answer
        finally:
            del self._awaited[claim.id]
            self._agreement.withdraw(claim.id)
        waited_ms = {"agreement": round((loop.time() - began_s) * 1000, 3)}
        utterance = replace(utterance, latency_ms=utterance.latency_ms | waited_ms)
        if room is not None:
            # Without its text nobody obeys it by mistake.
            elsewhere = replace(utterance, answered_by=room, text=None)
            return Settled(elsewhere, lambda: None)
        return Settled(utterance, lambda: self._do(self._agreement.acted(claim.id)))

    def _do(self, outputs: list[Output]) -> None:
        loop = asyncio.get_running_loop()
        for output in outputs:
            match output:
                case Say(message):
                    if self._send is not None:
                        self._send(message.to_bytes(loop.time()))
                case Act(id):
                    self._settle(id, None)
                case Yield(id, room):
                    self._settle(id, room)
        self._wait()

    def _settle(self, id: str, room: str | None) -> None:
        answer = self._awaited.get(id)
        if answer is not None and not answer.done():
            answer.set_result(room)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._agreement.due_s
        if due_s is not None:
            loop = asyncio.get_running_loop()
            # What is due at once is not late.
            due_s = max(due_s, loop.time())
            self._timer = loop.call_at(due_s, self._pass_time, due_s)

    def _pass_time(self, due_s: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() > due_s + _LATE_S:
            self._timer = loop.call_later(_LATE_S, self._pass_due)
        else:
            self._pass_due()

    def _pass_due(self) -> None:
        due_s = self._agreement.due_s
        if due_s is not None:
            # A loop's timers come up to a tick of its clock early.
            now_s = asyncio.get_running_loop().time()
            self._do(self._agreement.pass_time(now_s + time.get_clock_info("monotonic").resolution))
