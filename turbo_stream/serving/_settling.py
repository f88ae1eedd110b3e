"""The events of one stream, held back while rooms agree who answers an accepted utterance."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from secrets import token_hex

from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.events import Event, Utterance
from turbo_stream.serving.house import House

_LOG = logging.getLogger(__name__)

_REMEMBERED_S = 60.0
"""Of arrivals: an utterance is decided this long after its end at most."""


class Settling:
    """Asks the house about accepted utterances. What comes behind one waits, in order."""

    def __init__(self, house: House, tell: Callable[[Event | None], None]) -> None:
        """Begin; `tell` is given the events, and None at the end. Within an event loop."""
        self._house = house
        self._tell = tell
        self._ear = token_hex(8)
        self._loop = asyncio.get_running_loop()
        self._arrivals: deque[tuple[int, float]] = deque()
        """How many samples there were, and when."""
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue()
        self._settling = asyncio.create_task(self._settle_all())

    def note_arrival(self, samples: int) -> None:
        """Note that there are `samples` of the stream now."""
        now_s = self._loop.time()
        self._arrivals.append((samples, now_s))
        while self._arrivals[0][1] < now_s - _REMEMBERED_S:
            self._arrivals.popleft()

    def put(self, event: Event | None) -> None:
        """Tell `event` when those before it are told, and it is settled."""
        self._waiting.put_nowait(event)

    def close(self) -> None:
        """Tell nothing more."""
        self._settling.cancel()

    async def _settle_all(self) -> None:
        over = False
        while not over:
            event = await self._waiting.get()
            over = event is None
            try:
                await self._settle(event)
            except Exception as error:  # of whoever is told: the stream goes on without
                _LOG.error("an event was not told: %s", type(error).__name__)
            del event  # the text of a partial is not kept while the next is awaited

    async def _settle(self, event: Event | None) -> None:
        if not isinstance(event, Utterance) or event.decision != "accepted":
            self._tell(event)
            return
        settled = await self._house.settle(event, self._ear, self._ended_s(event))
        self._tell(settled.utterance)
        settled.handed_on()

    def _ended_s(self, utterance: Utterance) -> float:
        """Return when the last sound of `utterance` was there, on the loop's clock.

        Sound may arrive late, after a network or a machine that stood still, but never before it
        was made: since the utterance began, the piece that was least late tells.
        """
        first = to_samples(utterance.start_s)
        begins_s = (at_s - to_seconds(there) for there, at_s in self._arrivals if there >= first)
        return min(begins_s, default=self._loop.time() - utterance.end_s) + utterance.end_s
