"""The live shell: capture, segmentation and inference on threads of their own.

    capture thread        segmentation thread          inference thread        outlet
    (inside the source)
    ring ──────────────> segmenter ──> Backlog ──────> decide ───────────────> events
                             |                           |
                             └─ pauses, partials ─> scoring thread: recognize, classify

At the first pause of an utterance its text and score are begun; at its end they are often there.
Capture never waits. Under load, quality is given up by stated steps only: first the text of an
utterance (`asr_skipped`), then whole utterances, the oldest waiting first (`overload`).
"""

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from traceback import clear_frames

from turbo_stream._util.clocks import processor_time
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import (
    Block,
    GatheringSource,
    Source,
    SourceItem,
    check_source,
)
from turbo_stream.deciding.scored import Hearing, Scored
from turbo_stream.deciding.second_thoughts import second_thoughts
from turbo_stream.events import BaseEvent, Event, Utterance
from turbo_stream.live._backlog import Backlog, Waiting
from turbo_stream.live._outlet import EventQueue, Outlet
from turbo_stream.live._partials import Partials
from turbo_stream.live.run import Run
from turbo_stream.live.scoring_thread import LONGEST_END_S, ScoringThread, Speculation
from turbo_stream.pipeline import Pipeline
from turbo_stream.recognition.recognizer import NoRecognizer
from turbo_stream.segmentation.segment import Segment, SegmentPaused, SegmentResumed
from turbo_stream.segmentation.segmented_stream import StreamOutput


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
    """Score an utterance from its first pause on, not from its confirmed end."""

    speculation_share: float = 0.1
    """Of the stream's time, what may be spent on drafts that are thrown away."""

    spare_time: Callable[[], bool] = lambda: True
    """Asked before each partial text: whether there is time for it, as where other streams want
    it, too."""

    max_unread_events: int = 1000
    """When the caller reads no events, segmentation pauses here and the source reports the gap."""


class LivePipeline:
    """Runs a `Pipeline` over a live source without ever blocking its capture."""

    def __init__(
        self, pipeline: Pipeline, source: Source, config: LiveConfig | None = None
    ) -> None:
        check_source(source)
        self._pipeline = pipeline
        self._source = source
        self._config = config or LiveConfig()
        self._backlog = Backlog(self._config.max_waiting)
        self._pause = threading.Event()
        self._failure: BaseException | None = None
        self._left = False
        """Nobody reads the events of `run` any more."""
        self._threads: list[threading.Thread] = []

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

    def said(self, text: str) -> None:
        """Tell what the device says, or has just said; from any thread. As of `Pipeline.said`."""
        self._pipeline.said(text)

    def run(self) -> Run:
        """Return the events as they happen: `Ready` first, `Finished` last.

        A loop over them that is left, at whichever event and in whichever way, ends everything:
        the source is closed, and no thread is left. Raises what the source raised, after the
        terminal events of the utterances before it and of one that it broke off.
        """
        return Run(self._events())

    def _events(self) -> Generator[Event, None, None]:
        unread = EventQueue(self._config.max_unread_events)
        self.start(unread)
        try:
            while (event := unread.get()) is not None:
                yield event
                # Not kept until the next one: of rejected speech it may be a partial text.
                del event
                # In a forked process there are no threads that would bring the next one.
                self._pipeline.segmented.origin.check()
        finally:
            unread.abandon()
            self._leave()
        if unread.failure is not None:
            raise unread.failure

    def start(self, outlet: Outlet) -> None:
        """Begin to listen and return; `outlet` is given what `run` yields.

        Raises `RuntimeError` if it has begun before: a source is heard once.
        """
        if self._threads:
            raise RuntimeError("this LivePipeline has listened already; make another one")
        self._pipeline.segmented.origin.check()
        self._outlet = outlet
        self._busy_from = processor_time()
        self._speculation = Speculation(share=self._config.speculation_share)
        decider = self._pipeline.decider
        self._scoring = ScoringThread(decider, self._config.asr_deadline_s, self._speculation)
        self._partials: Partials | None = None
        if self._pipeline.partials and not isinstance(decider.recognizer, NoRecognizer):
            self._partials = Partials(decider, self._scoring, outlet.offer)
        try:
            outlet.put(self._pipeline.ready)
            for target in (self._segmentation, self._inference):
                name = f"turbo{target.__name__}"
                thread = threading.Thread(target=target, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
        except BaseException:
            # No room for one more thread: those that are there end.
            self._backlog.close()
            self._scoring.close()
            self._leave()
            raise

    def _leave(self) -> None:
        self._left = True
        try:
            self._source.close()
        finally:
            self.join()

    def join(self) -> None:
        """Wait until the threads have ended, `LONGEST_END_S` for each at most.

        A thread that outlived the interpreter's last one could be the last to hold the models,
        and freeing those while the interpreter ends aborts the process.
        """
        for thread in self._threads:
            # A run that nobody holds any more may be collected by any thread, also one of these.
            if thread is not threading.current_thread():
                thread.join(LONGEST_END_S)

    def _segmentation(self) -> None:
        segmented = self._pipeline.segmented
        try:
            self._hear_source()
            self._take(segmented.flush())
        except BaseException as error:
            self._failed(error)
            # What the source broke off gets its terminal event. An outlet may fail once more.
            with suppress(Exception):
                self._take(segmented.abort())
        finally:
            self._backlog.close()

    def _hear_source(self) -> None:
        segmented = self._pipeline.segmented
        gatherer = self._source if isinstance(self._source, GatheringSource) else None
        if self._left:
            return
        for item in self._source:
            self._segment(item)
            # Sound is not kept while the next is waited for.
            del item
            if self._left:
                # A source that was closed before it was opened may know nothing of it.
                self._source.close()
                return
            if gatherer is not None:
                # Not while paused: what was gathered then would be heard after `resume`.
                gatherer.gathering = segmented.segmenter.idle and not segmented.paused

    def _failed(self, error: BaseException) -> None:
        # What was heard is in the frames of whatever failed, and an error may be kept for long.
        clear_frames(error.__traceback__)
        if self._failure is None:
            self._failure = error
        with suppress(Exception):
            self._source.close()

    def _segment(self, item: SourceItem) -> None:
        segmented = self._pipeline.segmented
        if isinstance(item, Block):
            if not self._pause.is_set():
                segmented.resume()
            elif not segmented.paused:
                self._take(segmented.pause())
        self._take(segmented.feed(item))
        if self._backlog.decided:
            self._let_go()
        if isinstance(item, Block):
            self._listen_in()

    def _take(self, outputs: list[StreamOutput]) -> None:
        for output in outputs:
            match output:
                case SegmentPaused(draft):
                    if self._config.speculate and not self._backlog.waiting:
                        now_s = to_seconds(self._pipeline.segmented.segmenter.now_sample)
                        self._scoring.anticipate(draft, now_s)
                case SegmentResumed():
                    self._scoring.abandon()
                case Segment():
                    if self._partials is not None:
                        self._partials.forget()
                    self._scoring.confirm(output)
                    self._backlog.put(Waiting(output, perf_counter()))
                case BaseEvent():
                    self._outlet.put(output)

    def _let_go(self, *, last: bool = False) -> None:
        earliest_start = self._pipeline.segmented.segmenter.earliest_start
        self._pipeline.decider.forget(earliest_start, last=last)

    def _listen_in(self) -> None:
        """Have a partial text made, if one is due and nothing else is being scored."""
        segmenter = self._pipeline.segmented.segmenter
        if self._partials is None or (speaking := segmenter.speaking) is None:
            return
        due = self._partials.due(speaking.id, speaking.start_sample, segmenter.now_sample)
        if due and self._config.spare_time():
            self._partials.hear(segmenter.so_far())

    def _inference(self) -> None:
        try:
            while self._decide_next():
                pass
        except BaseException as error:
            self._failed(error)
        finally:
            self._scoring.close()
            self._let_go(last=True)
            # What is heard meanwhile may still be told, but nothing after the end.
            self._threads[0].join(LONGEST_END_S)
            self._end()

    def _decide_next(self) -> bool:
        """Decide what has waited longest; return whether there was anything.

        On its own, so that text and sound of what was rejected end with their decision.
        """
        taken = self._backlog.take()
        if taken is None:
            return False
        waiting, behind = taken
        hurried = behind >= self._config.skip_asr_from
        utterance = self._decide(waiting, hurried=hurried)
        del taken, waiting  # the outlet may wait
        self._outlet.put(utterance)
        score = self._score_without_text if hurried else self._scoring.score
        for revised in second_thoughts(self._pipeline.decider, score):
            self._outlet.put(revised)
        return True

    def _decide(self, waiting: Waiting, *, hurried: bool) -> Utterance:
        segment = waiting.segment
        scored: Scored | None = None
        if segment.dropped is not None:
            self._scoring.skip(segment)
        elif hurried:
            self._scoring.skip(segment)
            scored = self._score_without_text(segment)
        else:
            scored = self._scoring.score(segment)
        return self._pipeline.decide(segment, scored, waited_ms=waiting.waited_ms)

    def _score_without_text(self, segment: Segment) -> Scored:
        without_text = Hearing.without_text("asr_skipped")
        return self._pipeline.decider.score_heard(segment, without_text)

    def _end(self) -> None:
        try:
            if self._failure is None:
                accounts = self._speculation.report() if self._config.speculate else None
                finished = self._pipeline.finished(processor_time() - self._busy_from)
                self._outlet.put(replace(finished, speculation=accounts))
        except BaseException as error:
            self._failure = error
        finally:
            self._outlet.end(self._failure)
