"""A decision corrected by a message of the broker."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

from turbo_stream.learning.learner import Learned
from turbo_stream.serving._corrections import NotCorrected
from turbo_stream.serving._failures import described
from turbo_stream.serving.hub import Refused
from turbo_stream.serving.mqtt._refusals import Refusals

CORRECT = "correct/set"
"""The topic on which others say for whom an utterance was."""

_FORM = '{"correction_id": "...", "directed": true} or false, without an id for the last utterance'
_LOG = logging.getLogger(__name__)


class Correcting(Protocol):
    """What learns: the corrections of a hub."""

    @property
    def learned(self) -> Learned | None:
        """What was learned so far; None where nothing is."""
        ...

    async def correct(self, correction_id: str, directed: bool, *, origin: str) -> Learned:
        """Learn."""
        ...


class CorrectCommand:
    """Obeys what is published on one topic; what comes of it is published on another."""

    def __init__(
        self, corrections: Correcting, last: Callable[[], str | None], refusals: Refusals
    ) -> None:
        """Correct by `corrections`; `last` is asked which utterance was the last one."""
        self._corrections = corrections
        self._last = last
        self._refusals = refusals
        self._working: set[asyncio.Task[None]] = set()

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Obey `payload`, beside what else is published; an empty one is none."""
        if not self._refusals.admits(payload, retained=retained):
            return
        match _object(payload):
            case {"directed": bool() as directed, "correction_id": str() as key, **rest} if (
                not rest
            ):
                self._begin(key, directed)
            case {"directed": bool() as directed, **rest} if not rest:
                last = self._last()
                if last is None:
                    self._refusals.tell("is about the last utterance, and no score decided one yet")
                else:
                    self._begin(last, directed)
            case _:
                self._refusals.tell(f"is no correction; publish {_FORM}")

    def _begin(self, key: str, directed: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._correct(key, directed))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _correct(self, key: str, directed: bool) -> None:
        try:
            await self._corrections.correct(key, directed, origin="mqtt")
        except (NotCorrected, Refused) as error:
            self._refusals.tell(f"was not learned from: {error}")
        except Exception as error:
            _LOG.error("a correction failed: %s", described(error))
        else:
            self._refusals.forget()


def _object(payload: bytes) -> Any:
    try:
        return json.loads(payload, parse_int=float)
    except (ValueError, RecursionError):
        return None
