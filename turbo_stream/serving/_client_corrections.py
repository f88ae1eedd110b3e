"""What one WebSocket client corrects: one after the other, while its sound goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Never

from turbo_stream.events import LearningReported
from turbo_stream.learning.learner import Learned
from turbo_stream.serving._corrections import Corrections, NotCorrected
from turbo_stream.serving._failures import described
from turbo_stream.serving.hub import Refused

MOST = 8
"""Wishes of one client that wait; one that sends more does not read what it is answered."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Correction:
    """That an utterance was meant for the device, or was not."""

    correction_id: str
    directed: bool


@dataclass(frozen=True)
class Undo:
    """Forget the last correction."""

    correction_id: None = None


class ClientCorrections:
    """Answers each wish by a `LearningReported`, in their order."""

    def __init__(
        self, corrections: Corrections, send: Callable[[LearningReported], Awaitable[None]]
    ) -> None:
        self._corrections = corrections
        self._send = send
        self._wishes: asyncio.Queue[Correction | Undo] = asyncio.Queue(MOST)

    def wish(self, wish: Correction | Undo) -> None:
        """Have `wish` done. Raises `asyncio.QueueFull` where `MOST` wait already."""
        self._wishes.put_nowait(wish)

    async def run(self) -> Never:
        """Do what is wished until cancelled. Raises what `send` raises."""
        while True:
            wish = await self._wishes.get()
            await self._send(await self._answer(wish))
            self._wishes.task_done()

    async def all_answered(self) -> None:
        """Return when nothing waits any more."""
        await self._wishes.join()

    async def _answer(self, wish: Correction | Undo) -> LearningReported:
        try:
            learned = await self._do(wish)
        except (NotCorrected, Refused) as error:
            return LearningReported(wish.correction_id, error=str(error))
        except Exception as error:
            _LOG.error("a correction failed: %s", described(error))
            why = "the correction failed on the server; see its log"
            return LearningReported(wish.correction_id, error=why)
        return LearningReported(
            wish.correction_id, learned.state, learned.directed, learned.other, learned.wanted
        )

    async def _do(self, wish: Correction | Undo) -> Learned:
        if isinstance(wish, Undo):
            return await self._corrections.undo()
        return await self._corrections.correct(wish.correction_id, wish.directed, origin="api")
