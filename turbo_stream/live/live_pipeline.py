"""The live shell: capture, segmentation and inference on threads of their own.

    capture thread        segmentation thread          inference thread        caller
    (inside the source)
    ring ──────────────> segmenter ──> Backlog ──────> decide ───────────────> events()
                             |                           |
                             └─ pauses, partials ─> judging thread: recognize, classify

At the first pause of an utterance its text and score are begun; at its end they are often there.
Capture never waits. Under load, quality is given up by stated steps only: first the text of an
utterance (`asr_skipped`), then whole utterances, the oldest waiting first (`overload`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter

from turbo_stream._util.clocks import processor_time
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, Connection, Gap, GatheringSource, Source, SourceItem
from turbo_stream.deciding.scored import Hearing
from turbo_stream.events import Event, SourceChanged, SpeechStarted, Utterance
from turbo_stream.live.backlog import Backlog, Waiting
from turbo_stream.live.partials import Partials
from turbo_stream.live.scoring_thread import LONGEST_END_S, JudgingThread, Speculation
from turbo_stream.pipeline import Pipeline
from turbo_stream.recognition.recognizer import NoRecognizer
from turbo_stream.segmentation.segment import (
    Segment,
    SegmenterOutput,
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)


@dataclass(frozen=True)
class LiveConfig:
    """How much may wait, and for how long."""

    max_waiting: int = 4
    """Utterances that may wait for a decision; one more, and the oldest is dropped."""

    skip_asr_from: int = 2
    """With this many utterances waiting behind it, one is decided by its sound alone."""

    asr_deadline_s: float = 3.0
    """A text later than this is not waited for."""

    speculate: bool = True
    """Judge an utterance from its first pause on, not from its confirmed end."""

    speculation_share: float = 0.1
    """Of the stream's time, what may be spent on drafts that are thrown away."""

    partials: bool = True
    """Say `Partial` events while speech goes on."""

    spare_time: Callable[[], bool] = lambda: True
    """Asked before each: whether the time for it is there, as where other streams want it, too."""

    max_unread_events: int = 1000
    """When the caller reads no events, segmentation pauses here and the source reports the gap."""


class LivePipeline:
    """Runs a `Pipeline` over a live source without ever blocking its capture."""

    def __init__(
        self, pipeline: Pipeline, source: Source, config: LiveConfig | None = None
    ) -> None:
        self._pipeline = pipeline
        self._source = source
        self._config = config or LiveConfig()
        self._backlog = Backlog(self._config.max_waiting)
        self._unread: queue.Queue[Event | None] = queue.Queue(self._config.max_unread_events)
        self._abandoned = threading.Event()
        self._pause = threading.Event()
        self._failure: BaseException | None = None
        self._judging: JudgingThread | None = None
        self._partials: Partials | None = None

    def close(self) -> None:
        """Stop listening; what was heard is still decided. Callable from any thread."""
        self._source.close()

    def pause(self) -> None:
        """Stop listening for a while, as while the device itself speaks; from any thread.

        Takes effect with the next block of sound; what was said until then is decided.
        """
        self._pause.set()

    def resume(self) -> None:
        """Listen again; from any thread."""
        self._pause.clear()

    def run(self) -> Iterator[Event]:
        """Yield events as they happen: `Ready` first, `Finished` last.

        Raises what the source raised, after the utterances before it were decided.
        """
        busy_from = processor_time()
        config, decider = self._config, self._pipeline.decider
        speculation = Speculation(share=config.speculation_share)
        self._judging = JudgingThread(decider, config.asr_deadline_s, speculation)
        if config.partials and not isinstance(decider.recognizer, NoRecognizer):
            self._partials = Partials(decider, self._judging, self._say_if_read)
        threads = [
            threading.Thread(target=target, name=f"turbo{target.__name__}", daemon=True)
            for target in (self._segmentation, self._inference)
        ]
        for thread in threads:
            thread.start()
        yield self._pipeline.ready
        try:
            while (event := self._unread.get()) is not None:
                yield event
        finally:
            self._abandoned.set()
            self._source.close()
            # A thread that outlived this one could be the last to hold the models, and freeing
            # those while the interpreter ends aborts the process.
            for thread in threads:
                thread.join(LONGEST_END_S)
        if self._failure is not None:
            raise self._failure
        accounts = speculation.report() if config.speculate else None
        finished = self._pipeline.finished(processor_time() - busy_from)
        yield replace(finished, speculation=accounts)

    def _segmentation(self) -> None:
        try:
            pipeline = self._pipeline
            gatherer = self._source if isinstance(self._source, GatheringSource) else None
            for item in self._source:
                self._segment(item)
                if gatherer is not None:
                    # Not while paused: what was gathered then would be heard after `resume`.
                    gatherer.gathering = pipeline.segmenter.idle and not pipeline.paused
            self._hand_on(self._pipeline.segmenter.flush())
        except BaseException as error:
            self._failure = error
        finally:
            self._backlog.close()

    def _segment(self, item: SourceItem) -> None:
        segmenter = self._pipeline.segmenter
        match item:
            case Block(pcm, reference):
                if not self._pause.is_set():
                    self._pipeline.resume()
                elif not self._pipeline.paused:
                    self._hand_on(self._pipeline.pause_segmenting())
                self._hand_on(self._pipeline.segment(pcm, reference))
                self._listen_in()
            case Gap(lost_samples, cause):
                self._say(self._pipeline.gap_report(lost_samples, cause))
                self._hand_on(segmenter.gap(lost_samples))
            case Connection(state, detail):
                self._say(SourceChanged(state, detail))
                if state != "active":
                    self._hand_on(segmenter.abort())

    def _hand_on(self, outputs: list[SegmenterOutput]) -> None:
        assert self._judging is not None  # `run` has made it
        for output in outputs:
            match output:
                case SegmentStarted(id, start_sample):
                    self._say(SpeechStarted(id, to_seconds(start_sample)))
                case SegmentPaused(draft) if self._config.speculate and not self._backlog.waiting:
                    stream_s = to_seconds(self._pipeline.segmenter.now_sample)
                    self._judging.anticipate(draft, stream_s)
                case SegmentResumed():
                    self._judging.abandon()
                case Segment():
                    self._judging.confirm(output)
                    barge_in = self._pipeline.barge_in(output)
                    waiting = Waiting(output, perf_counter(), barge_in, output.dropped)
                    self._backlog.put(waiting)

    def _listen_in(self) -> None:
        """Have a partial text made, if one is due and nothing else is being judged."""
        segmenter = self._pipeline.segmenter
        if self._partials is None or (speaking := segmenter.speaking) is None:
            return
        due = self._partials.due(speaking.id, speaking.start_sample, segmenter.now_sample)
        if due and self._config.spare_time():
            self._partials.hear(segmenter.so_far())

    def _inference(self) -> None:
        assert self._judging is not None  # `run` has made it
        try:
            while (taken := self._backlog.take()) is not None:
                waiting, behind = taken
                utterance = self._decide(waiting, behind, self._judging)
                self._pipeline.count(utterance)
                self._say(utterance)
        except BaseException as error:
            self._failure = error
        finally:
            self._judging.close()
            self._say(None)

    def _decide(self, waiting: Waiting, behind: int, judging: JudgingThread) -> Utterance:
        decider, segment = self._pipeline.decider, waiting.segment
        if waiting.dropped is not None:
            judging.skip(segment)
            return decider.drop(segment, waiting.dropped, barge_in=waiting.barge_in)
        if behind >= self._config.skip_asr_from:
            judging.skip(segment)
            judgement = decider.detect(segment, Hearing.without_text("asr_skipped"))
        else:
            judgement = judging.judge(segment)
        return decider.decide(
            segment,
            judgement,
            waited_ms=waiting.waited_ms,
            barge_in=waiting.barge_in,
            follow_up_log_odds=self._pipeline.follow_up_log_odds(segment),
        )

    def _say_if_read(self, event: Event) -> None:
        """Say what may be left out when the caller does not keep up with reading."""
        with suppress(queue.Full):
            self._unread.put_nowait(event)

    def _say(self, event: Event | None) -> None:
        # A caller that stopped reading must not leave threads behind that wait for it forever.
        while not self._abandoned.is_set():
            try:
                self._unread.put(event, timeout=0.5)
            except queue.Full:
                continue
            return
