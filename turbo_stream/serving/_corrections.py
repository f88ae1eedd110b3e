"""What clients say of decisions, learned on a thread: no stream and no other client waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from turbo_stream.errors import TurboStreamError
from turbo_stream.learning.example_file import NotRememberedError
from turbo_stream.learning.learner import Learned, Learner
from turbo_stream.serving._failures import described

if TYPE_CHECKING:
    from turbo_stream.serving.hub import Hub

MOST_WAITING = 8
"""Corrections of all clients at a time, each of which takes up to a second."""

OFF: dict[str, Any] = {"state": "off", "directed": 0, "other": 0, "wanted": 0}
"""What there is to say where nothing is learned, as `Learned.to_json`."""

_LOG = logging.getLogger(__name__)


class NotCorrected(Exception):
    """Nothing was learned; `reason` is a word of ours, the message says why in one line."""

    def __init__(self, reason: Literal["off", "unknown", "busy", "failed"], message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Corrections:
    """Has the learner of a hub's models work, on one thing after the other."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._told: list[Callable[[], None]] = []

    @property
    def learned(self) -> Learned | None:
        """What was learned so far; None where nothing is. Raises `Refused` without models."""
        learner = self._hub.models.learner
        return None if learner is None else learner.learned

    async def correct(self, correction_id: str, directed: bool, *, origin: str) -> Learned:
        """Learn that an utterance was meant for the device, or was not.

        Raises:
            NotCorrected: nothing was learned.
            Refused: the models are still loading, or the server ends.
        """
        return await self._have(
            lambda learner: learner.correct(correction_id, directed, origin=origin)
        )

    async def undo(self) -> Learned:
        """Forget the last correction. Raises as `correct`."""
        return await self._have(Learner.undo)

    async def forget(self) -> Learned:
        """Forget all corrections: from now on scores are as shipped. Raises as `correct`."""

        def forget(learner: Learner) -> Learned:
            learner.forget()
            return learner.learned

        return await self._have(forget)

    @contextmanager
    def watch(self, told: Callable[[], None]) -> Iterator[None]:
        """Call `told`, in the event loop, whenever something was learned or forgotten."""
        self._told.append(told)
        try:
            yield
        finally:
            self._told.remove(told)

    async def _have(self, work: Callable[[Learner], Learned]) -> Learned:
        learner = self._hub.models.learner
        if learner is None:
            raise NotCorrected("off", "this server learns nothing: its setting learn is off")
        if self._waiting >= MOST_WAITING:
            raise NotCorrected("busy", f"{MOST_WAITING} corrections wait already; send it later")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._on_a_thread(work, learner)
        except NotRememberedError as error:
            raise NotCorrected("unknown", error.plain) from None
        except TurboStreamError as error:
            _LOG.error("a correction was not kept: %s", error.plain)
            raise NotCorrected("failed", _FAILED) from None
        except OSError as error:
            _LOG.error("a correction was not kept: %s", described(error))
            raise NotCorrected("failed", _FAILED) from None
        finally:
            self._waiting -= 1

    async def _on_a_thread(self, work: Callable[[Learner], Learned], learner: Learner) -> Learned:
        loop = asyncio.get_running_loop()

        def run() -> Learned:
            try:
                return work(learner)
            finally:
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(self._tell)

        return await self._hub.work(asyncio.to_thread(run), patient=True)

    def _tell(self) -> None:
        for told in list(self._told):
            told()


_FAILED = "the correction could not be kept on the server; see its log"
