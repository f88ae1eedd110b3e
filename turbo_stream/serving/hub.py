"""What all clients share: the loaded models, the limits, the accounts, who is connected."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from turbo_stream.addressing.address import Address, choose_address, possible_addresses
from turbo_stream.errors import InputError
from turbo_stream.events import Event
from turbo_stream.live.live_pipeline import LiveConfig
from turbo_stream.pipeline import Models
from turbo_stream.recognition.recognizer import NoRecognizer
from turbo_stream.serving._corrections import Corrections
from turbo_stream.serving._metrics import Counts, Metrics
from turbo_stream.serving.house import House
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.sensitivity import USUAL, sensitivities, threshold_at
from turbo_stream.serving.session import Session
from turbo_stream.serving.shared_recognizer import SharedRecognizer, SpareTime

ANSWER_S = 60.0
"""How long the text of one utterance may take where a client waits for it. A small board needs ten
seconds for a long sentence; who has waited a minute has asked again."""

Transport = Literal["websocket", "rest", "wyoming"]
State = Literal["loading", "ready", "draining"]

_Result = TypeVar("_Result")
_SHUTTING_DOWN = "the server is shutting down; connect again later"


class Refused(Exception):
    """No stream can be opened now; the message says why, in one line."""

    def __init__(self, reason: Literal["loading", "draining", "full"], message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class StreamOptions:
    """What a client may choose for its own stream."""

    names: tuple[str, ...] | None = None
    """What its device is called; None for the server's names."""

    address: str | None = None
    """How its device is addressed; None for what the server says."""

    threshold: float | None = None
    """Accept from this probability on; None for the server's."""

    show_rejected: bool | None = None
    """Send the text of rejected speech, too; None for what the server does. Asked for where the
    server was not started so, it stays away."""

    partials: bool = True
    """Send text while speech goes on; only where the server was started so."""

    patient: bool = False
    """The client waits for its answer: a text may take `ANSWER_S`, none is skipped, and sound that
    cannot be heard yet waits where it is."""


class Watcher(Protocol):
    """Told every event of every stream, in the event loop; must return at once."""

    def __call__(self, stream: int, transport: Transport, event: Event) -> None:
        """Take note of `event`; `stream` counts from 0 in the order in which they were opened."""
        ...


class Hub:
    """Opens streams over loaded models and keeps the accounts. Lives in one event loop."""

    def __init__(self, limits: Limits | None = None, house: House | None = None) -> None:
        """Begin without models; `load` brings them.

        Args:
            limits: what one client may ask for.
            house: the rooms with which streams agree who answers; None where each answers.
        """
        self.limits = limits or Limits()
        self._house = house
        self.state: State = "loading"
        self.counts = Counts()
        self.metrics = Metrics()
        self.corrections = Corrections(self)
        self.muted = False
        """Whether all streams take sound for silence; `mute` sets it."""
        self.sensitivity = USUAL
        """How readily streams accept whose clients have not chosen; `set_sensitivity` sets it."""
        self._started: Models | None = None
        """As they were given; `_models` has what was set since."""
        self._models: Models | None = None
        self._live = LiveConfig()
        self._sessions: dict[Session, StreamOptions] = {}
        self._work: dict[asyncio.Task[Any], bool] = {}
        """Whether `drain` waits for each piece of work."""
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._watchers: list[tuple[Watcher, Callable[[int], None]]] = []

    def load(self, models: Models) -> None:
        """Serve streams over `models` from now on; nobody else may use their recognizer.

        What their settings show is the most that a client can ask for.
        """
        if not isinstance(models.recognizer, NoRecognizer):
            recognizer = SharedRecognizer(models.recognizer)
            models = replace(models, recognizer=recognizer)
            self._live = LiveConfig(spare_time=SpareTime(recognizer))
        self._started = self._models = models
        if self.state == "loading":
            self.state = "ready"

    @property
    def models(self) -> Models:
        """What is served. Raises `Refused` while the models are loading or the server ends."""
        if self.state == "draining":
            raise Refused("draining", _SHUTTING_DOWN)
        if self._models is None:
            raise Refused("loading", "the models are still being loaded; connect again in seconds")
        return self._models

    @property
    def address(self) -> Address:
        """How the device is addressed where a client has not chosen; once there are models."""
        return self._loaded().ready().address

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What `address` may be set to; once there are models."""
        models = self._loaded()
        hears = not isinstance(models.recognizer, NoRecognizer)
        return possible_addresses(models.settings.names, hears=hears)

    def set_address(self, address: str) -> None:
        """Have the device addressed so: new streams, and those whose clients have not chosen.

        Speech that has begun is decided as it was addressed.

        Raises:
            InputError: it is none of `addresses`.
        """
        models = self._loaded()
        hears = not isinstance(models.recognizer, NoRecognizer)
        chosen = choose_address(address, models.settings.names, hears=hears)
        self._models = replace(models, settings=models.settings.for_stream(address=chosen))
        for session, options in self._sessions.items():
            if options.address is None:
                with suppress(InputError):  # a client whose device has no name
                    session.pipeline.address = chosen

    def mute(self, muted: bool) -> None:
        """Take sound for silence in all streams, those there are and new ones; or no more.

        What was said until then is decided. A sound file that somebody sends is classified all
        the same.
        """
        self.muted = muted
        for session in self._sessions:
            session.mute(muted)

    @property
    def sensitivities(self) -> range:
        """What `sensitivity` may be set to; once there are models.

        Up to 100, or to where streams that go on could accept speech without a text.
        """
        started = self._loaded_first()
        return sensitivities(started.threshold(), started.stream().lowest_threshold)

    def set_sensitivity(self, sensitivity: int) -> float:
        """Have streams accept so readily: new ones, and those whose clients have not chosen.

        Returns the threshold for which it stands. A stream that cannot go so low, since its client
        chose names of its own, goes as low as it can.

        Raises:
            InputError: it is none of `sensitivities`.
        """
        if sensitivity not in (allowed := self.sensitivities):
            given = f"0 to {allowed[-1]}" if allowed else "a threshold between 0 and 1 first"
            raise InputError(f"the sensitivity is {sensitivity}; give {given}")
        threshold = threshold_at(sensitivity, self._loaded_first().threshold())
        models = self._loaded()
        self._models = replace(models, settings=models.settings.for_stream(threshold=threshold))
        self.sensitivity = sensitivity
        for session, options in self._sessions.items():
            if options.threshold is None:
                stream = session.pipeline
                stream.threshold = max(threshold, stream.lowest_threshold)
        return threshold

    def said(self, text: str) -> None:
        """Tell all open streams what the device says, or has just said."""
        for session in self._sessions:
            session.said(text)

    @asynccontextmanager
    async def stream(
        self, options: StreamOptions | None = None, *, transport: Transport
    ) -> AsyncIterator[Session]:
        """Open one more stream, closed when the context ends.

        Raises:
            Refused: there is no room for it, or it is not the time.
            InputError: a choice is not allowed.
        """
        options, models, limits = options or StreamOptions(), self.models, self.limits
        if self.counts.open_streams >= limits.clients:
            raise Refused("full", f"all {limits.clients} streams are in use; connect again later")
        shown = models.settings
        stream = models.stream(
            names=options.names,
            address=options.address,
            threshold=options.threshold,
            show_rejected=shown.show_rejected and options.show_rejected is not False,
            partials=shown.partials and options.partials,
        )
        number = self.counts.streams
        session = Session(
            stream,
            _patient(self._live) if options.patient else self._live,
            patient=options.patient,
            observe=partial(self._note, number, transport),
            house=None if transport == "rest" else self._house,
        )
        session.mute(self.muted)
        self.counts.streams += 1
        self._sessions[session] = options
        self._all_closed.clear()
        self.counts.open_streams += 1
        with self.metrics.stream(transport):
            try:
                yield session
            finally:
                try:
                    await session.close()
                finally:
                    self.counts.open_streams -= 1
                    del self._sessions[session]
                    for _, on_end in self._watchers:
                        on_end(number)
                    self._note_whether_all_closed()

    async def work(self, work: Coroutine[Any, Any, _Result], *, patient: bool) -> _Result:
        """Return what `work` gives: what is done for a client that has no stream.

        Raises `Refused` where the server ends before: at once, or where `patient` when others that
        were not done in time are broken off.
        """
        task = asyncio.create_task(work)
        self._work[task] = patient
        self._all_closed.clear()
        try:
            return await task
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is not None and own.cancelling():  # nobody waits for the result any more
                raise
            raise Refused("draining", _SHUTTING_DOWN) from None
        finally:
            del self._work[task]
            self._note_whether_all_closed()

    @contextmanager
    def watch(
        self, watcher: Watcher, on_end: Callable[[int], None] = lambda stream: None
    ) -> Iterator[None]:
        """Tell `watcher` of all events while the context lasts.

        `on_end` is told of streams that are over: one that its client broke off says no more.
        """
        watching = (watcher, on_end)
        self._watchers.append(watching)
        try:
            yield
        finally:
            self._watchers.remove(watching)

    async def drain(self) -> None:
        """Open no more streams, end those there are, and let their clients read the rest.

        Returns when all are closed and all work is done; what is not after `Limits.drain_s` is
        broken off.
        """
        self.state = "draining"
        for session in list(self._sessions):
            session.end()
        for task, patient in self._work.items():
            if not patient:
                task.cancel()
        try:
            async with asyncio.timeout(self.limits.drain_s):
                await self._all_closed.wait()
        except TimeoutError:
            for task in self._work:
                task.cancel()
            for session in list(self._sessions):
                await session.close()

    def _loaded(self) -> Models:
        assert self._models is not None, "the models are still being loaded"
        return self._models

    def _loaded_first(self) -> Models:
        assert self._started is not None, "the models are still being loaded"
        return self._started

    def _note_whether_all_closed(self) -> None:
        if not self._sessions and not self._work:
            self._all_closed.set()

    def _note(self, stream: int, transport: Transport, event: Event) -> None:
        self.counts.add(event)
        self.metrics.observe(event)
        for watcher, _ in self._watchers:
            watcher(stream, transport, event)


def _patient(live: LiveConfig) -> LiveConfig:
    """Return `live` for a client that waits: no text is given up for being late or skipped."""
    return replace(live, asr_deadline_s=ANSWER_S, skip_asr_from=live.max_waiting + 1)
