"""The synchronous core: samples in, events out, a pure function of the samples seen so far."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.clocks import Stopwatch
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, Connection, Gap, SourceItem
from turbo_stream.deciding.barge_in import BargeIn
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.totals import Totals
from turbo_stream.errors import InputError
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    Ready,
    SourceChanged,
    SpeechStarted,
    Utterance,
)
from turbo_stream.segmentation.segment import Segment, SegmenterOutput, SegmentStarted

if TYPE_CHECKING:
    from turbo_stream.audio.source import Source
    from turbo_stream.deciding.follow_up import FollowUp
    from turbo_stream.detection.detector import Detector
    from turbo_stream.live.listener import Listener
    from turbo_stream.recognition.recognizer import Recognizer
    from turbo_stream.recognition.window import WindowConfig
    from turbo_stream.segmentation.segmenter import Segmenter

Pcm = NDArray[np.int16]


class Pipeline:
    """One stream: segmenter, recognizer, detector, and the accounts.

    Events do not depend on how the samples were cut into calls of `process`, and more samples
    never change an event already returned. Not thread-safe: one thread feeds it.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        decider: Decider,
        *,
        ready: Ready,
        follow_up: FollowUp | None = None,
        new_segmenter: Callable[[], Segmenter] | None = None,
    ) -> None:
        """Take the parts; `new_segmenter` makes one for each further stream (`new_stream`)."""
        self.segmenter = segmenter
        self._new_segmenter = new_segmenter
        self.decider = decider
        self._follow_up = follow_up
        self.ready = ready
        """The event that `run` begins with: what is listening."""
        self._barge_in = BargeIn()
        self._paused = False
        self._totals = Totals()

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        asr: str | Recognizer = "auto",
        detector: Detector | None = None,
        vad: str | None = None,
        names: Iterable[str] = (),
        threshold: float | None = None,
        operating_point: str | None = None,
        language: str | None = None,
        window: WindowConfig | None = None,
        show_rejected: bool = False,
        follow_up: bool = False,
        sound_reject: float | None = None,
        turn_model: str | Path | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Pipeline:
        """Load the models and return a pipeline that is warm.

        Args:
            model: folder of a Turbo package; None for the one that ships.
            asr: `auto`, `none`, `pocketsphinx`, a Whisper name, a Whisper folder, or a recognizer
                of your own.
            detector: your own, with a threshold of its own; None for Turbo.
            vad: `webrtc`, `silero`, `webrtc+silero`; None for the default.
            names: what the device is called.
            threshold: accept from this probability on, in [0, 1]; None for the package's.
            operating_point: one of the package's named thresholds, instead of `threshold`.
            language: language of the speech, for multilingual Whisper models.
            window: how much of its 30 s Whisper reads; None for the default.
            show_rejected: put the text of rejected speech into its event.
            follow_up: favour what is said soon after an accepted utterance.
            sound_reject: reject below this probability by the sound alone, before a text is made;
                0 makes a text of everything, None is the package's choice.
            turn_model: who says that a speaker has finished: the ONNX file of a smart-turn model,
                or `none` for the silence alone; None for the Turbo package.
            say: told in one line what was chosen and why; None sends it to the log.

        Raises:
            InputError: an argument names something that is not there or not allowed.
            PackageError: the model package is incomplete or fails its hashes.
        """
        from turbo_stream._loading import load_pipeline

        return load_pipeline(
            cls,
            model=model,
            asr=asr,
            detector=detector,
            vad=vad,
            names=tuple(names),
            threshold=threshold,
            operating_point=operating_point,
            language=language,
            window=window,
            show_rejected=show_rejected,
            follow_up=follow_up,
            sound_reject=sound_reject,
            turn_model=turn_model,
            say=say or logging.getLogger(__name__).info,
        )

    def new_stream(
        self,
        *,
        names: Iterable[str] | None = None,
        threshold: float | None = None,
        show_rejected: bool | None = None,
    ) -> Pipeline:
        """Return a pipeline for one more stream, with the same models and nothing else shared.

        Args:
            names: what the device of that stream is called; None as in this one.
            threshold: that stream's own, in [0, 1]; None for the one of this stream.
            show_rejected: whether that stream's events hold rejected text; None as in this one.

        Raises:
            InputError: `threshold` is no probability, or the detector knows no names.
            RuntimeError: this pipeline was put together without `new_segmenter`.
        """
        if self._new_segmenter is None:
            raise RuntimeError("this pipeline was made for one stream: give it `new_segmenter`")
        from turbo_stream.deciding.follow_up import FollowUp

        prior = None if self._follow_up is None else self._follow_up.prior
        decider, ready = self.decider, self.ready
        names = None if names is None else tuple(names)
        if names is not None or threshold is not None or show_rejected is not None:
            decider = decider.for_stream(
                names=names,
                threshold=threshold,
                show_rejected=show_rejected,
                log_odds=prior.log_odds if prior else 0.0,
            )
            ready = replace(
                ready,
                threshold=decider.detector.threshold,
                names=ready.names if names is None else names,
            )
        return Pipeline(
            self._new_segmenter(),
            decider,
            ready=ready,
            follow_up=FollowUp(prior) if prior else None,
            new_segmenter=self._new_segmenter,
        )

    def process(self, pcm: Pcm, reference: Pcm | None = None) -> list[Event]:
        """Feed `pcm`, `[N]` int16 at 16 kHz; return the events these samples complete.

        `reference`, `[N]`, is what the device itself played meanwhile: its echo is muted, and
        utterances spoken over it are marked `barge_in`.
        """
        return self._decided(self.segment(pcm, reference))

    def segment(self, pcm: Pcm, reference: Pcm | None = None) -> list[SegmenterOutput]:
        """Do the segmenter's part of `process` only; for shells that decide elsewhere."""
        pcm = _checked(pcm)
        if self._paused:
            pcm = np.zeros_like(pcm)
        elif reference is not None or self._barge_in.listening:
            at_sample = self.segmenter.fed_samples + self.segmenter.lost_samples
            played = np.zeros_like(pcm) if reference is None else _checked(reference)
            pcm = self._barge_in.without_echo(pcm, played, at_sample)
        return self.segmenter.process(pcm)

    def gap(self, lost_samples: int, cause: str) -> list[Event]:
        """Advance the stream by `lost_samples` that nobody heard."""
        report = self.gap_report(lost_samples, cause)
        return [report, *self._decided(self.segmenter.gap(lost_samples))]

    def gap_report(self, lost_samples: int, cause: str) -> GapReported:
        """Return the event for samples lost from here on."""
        at = self.segmenter.fed_samples + self.segmenter.lost_samples
        return GapReported(time_s=to_seconds(at), lost_samples=lost_samples, cause=cause)

    def connection(self, change: Connection) -> list[Event]:
        """Note that the source changed; an utterance that it broke off is dropped."""
        event = SourceChanged(change.state, change.detail)
        if change.state == "active":
            return [event]
        return [event, *self._decided(self.segmenter.abort())]

    @property
    def paused(self) -> bool:
        """Whether sound is taken for silence at present."""
        return self._paused

    def pause(self) -> list[Event]:
        """Stop listening, as while the device itself speaks; ends an open utterance.

        Samples fed while paused count as silence, so that times stay right.
        """
        return self._decided(self.pause_segmenting())

    def pause_segmenting(self) -> list[SegmenterOutput]:
        """Do the segmenter's part of `pause` only; for shells that decide elsewhere."""
        self._paused = True
        return self.segmenter.flush()

    def resume(self) -> None:
        """Listen again."""
        self._paused = False

    def flush(self) -> list[Event]:
        """End the stream: an utterance still open is decided now."""
        return self._decided(self.segmenter.flush())

    def reset(self) -> None:
        """Start a new stream with the same models."""
        self.segmenter.reset()
        self._barge_in.reset()
        self._paused = False
        self._totals.reset()
        if self._follow_up is not None:
            self._follow_up.reset()

    def run(self, source: Iterable[SourceItem]) -> Iterator[Event]:
        """Yield the events of a whole source: `Ready` first, `Finished` last.

        Everything happens in the caller's thread, so a source that loses sound when nobody
        reads (a microphone) wants `LivePipeline` instead.
        """
        yield self.ready
        busy = Stopwatch()
        for item in source:
            with busy:
                events = self.feed(item)
            yield from events
        with busy:
            events = self.flush()
        yield from events
        yield self.finished(busy.total_s)

    def listen(self, source: Source, on_event: Callable[[Event], None]) -> Listener:
        """Tell `on_event` what `run` or `LivePipeline` would yield, from a thread of its own.

        Returns at once; close the listener, or use it as a context manager. Events wait for a
        callback that takes its time, and a live source says what was lost meanwhile.
        """
        from turbo_stream.live.listener import Listener

        return Listener(self, source, on_event)

    async def stream(self, chunks: AsyncIterable[Pcm]) -> AsyncIterator[Event]:
        """Yield the events of an asynchronous stream of samples, as `run` does.

        Each chunk is processed in a worker thread, so that the event loop stays free.
        """
        import asyncio

        yield self.ready
        busy = Stopwatch()
        async for pcm in chunks:
            with busy:
                events = await asyncio.to_thread(self.process, pcm)
            for event in events:
                yield event
        with busy:
            events = await asyncio.to_thread(self.flush)
        for event in events:
            yield event
        yield self.finished(busy.total_s)

    def feed(self, item: SourceItem) -> list[Event]:
        """Process one item of a source."""
        match item:
            case Block(pcm, reference):
                return self.process(pcm, reference)
            case Gap(lost_samples, cause):
                return self.gap(lost_samples, cause)
            case Connection():
                return self.connection(item)

    def finished(self, busy_s: float | None = None) -> Finished:
        """Return the accounts of the stream so far."""
        return self._totals.finished(
            fed_samples=self.segmenter.fed_samples,
            speech_samples=self.segmenter.speech_samples,
            lost_samples=self.segmenter.lost_samples,
            busy_s=busy_s,
        )

    def count(self, utterance: Utterance) -> None:
        """Enter a terminal event into the accounts; the one decided next may depend on it."""
        self._totals.add(utterance)
        if self._follow_up is not None:
            self._follow_up.note(utterance)

    def follow_up_log_odds(self, segment: Segment) -> float | None:
        """Return what the events counted so far say of `segment`; None if they are not asked."""
        return None if self._follow_up is None else self._follow_up.log_odds(segment)

    def barge_in(self, segment: Segment) -> bool | None:
        """Return whether `segment` was spoken over the device; None without a reference."""
        return self._barge_in.during(segment.start_sample, segment.end_sample)

    def _decided(self, outputs: list[SegmenterOutput]) -> list[Event]:
        events: list[Event] = []
        for output in outputs:
            match output:
                case SegmentStarted(id, start_sample):
                    events.append(SpeechStarted(id, to_seconds(start_sample)))
                case Segment():
                    events.append(self._decide(output))
        return events

    def _decide(self, segment: Segment) -> Utterance:
        utterance = self.decider.decide(
            segment,
            barge_in=self.barge_in(segment),
            follow_up_log_odds=self.follow_up_log_odds(segment),
        )
        self.count(utterance)
        return utterance


def _checked(pcm: Pcm) -> Pcm:
    if pcm.dtype != np.int16 or pcm.ndim != 1:
        raise InputError(
            f"samples of type {pcm.dtype} and shape {list(pcm.shape)} were given; "
            "give int16 of shape [N], 16 kHz mono"
        )
    return pcm
