"""Utterances scored on a thread of their own, from their first pause on, with a deadline."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from time import perf_counter
from traceback import clear_frames
from typing import Any, Literal

from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Hearing, Scored
from turbo_stream.segmentation.segment import Segment


@dataclass
class Speculation:
    """The accounts of one stream.

    A draft that was thrown away, because the speaker went on, is time spent for nothing. It may
    use up `share` of the stream's time and `credit_s`, no more: on a machine so slow, or with a
    speaker so hesitant, that this is not enough, utterances wait for their end as they would have
    without.
    """

    share: float = 0.1
    """Seconds wasted for each second of the stream."""

    credit_s: float = 1.0
    """May be wasted at once, at the start of the stream."""

    started: int = 0
    used: int = 0
    declined: int = 0
    """Pauses at which there was something else to do, or nothing left to spend."""

    wasted_s: float = 0.0

    def affordable(self, stream_s: float) -> bool:
        """Return whether a draft may be scored `stream_s` after the start of the stream."""
        return self.wasted_s <= self.share * stream_s + self.credit_s

    def report(self) -> dict[str, Any]:
        """Return the accounts, JSON-ready."""
        return {
            "started": self.started,
            "used": self.used,
            "declined": self.declined,
            "wasted_s": round(self.wasted_s, 3),
        }


LONGEST_END_S = 5.0
"""How long a thread that is told to end is waited for. One that is still inside a library when the
interpreter ends can abort the process; a decode takes less than this even on a small machine."""

GoOn = Callable[[], bool]
"""Asked between the steps of a work: whether it is still wanted."""


@dataclass(eq=False)
class _Job:
    segment: Segment
    work: Callable[[GoOn], Scored | None]

    kind: Literal["partial", "draft", "certain"]
    """A partial text gives way to everything, a draft to what is certain to be needed."""

    unwanted: bool = False
    result: Future[Scored] = field(default_factory=Future)
    """Cancelled where the work was stopped half-way."""

    spent_s: float = 0.0


class ScoringThread:
    """Runs `Decider.score` on one thread, so there are never two decodes at a time.

    A draft is begun at a pause, and taken when its end is confirmed or stopped when the speaker
    goes on. The thread is a daemon, unlike those of an executor, so that a recognizer that hangs
    can neither stop the decisions nor keep the process from ending.
    """

    def __init__(self, decider: Decider, deadline_s: float, speculation: Speculation) -> None:
        """Start the thread; a text later than `deadline_s` is not waited for."""
        self.speculation = speculation
        self._decider = decider
        self._deadline_s = deadline_s
        self._changed = threading.Condition()
        self._next: _Job | None = None
        self._doing: _Job | None = None
        self._draft: _Job | None = None
        """Begun ahead and not taken yet: it is next, being done, or done."""
        self._late: _Job | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="turbo-scoring", daemon=True)
        self._thread.start()

    def anticipate(self, draft: Segment, stream_s: float) -> None:
        """Begin to score `draft`, `stream_s` after the start of the stream, if there is time."""
        with self._changed:
            busy = any(job is not None and job.kind == "certain" for job in self._jobs())
            if busy or not self.speculation.affordable(stream_s):
                self.speculation.declined += 1
                return
            self._throw_draft_away()
            self.speculation.started += 1
            self._draft = self._begin(draft, "draft")

    def confirm(self, segment: Segment) -> None:
        """Keep the draft of `segment`, whose end is certain now, until `score` asks for it."""
        with self._changed:
            if self._draft is not None and self._draft.segment.same_sound(segment):
                self._draft.kind = "certain"

    def abandon(self) -> None:
        """Stop scoring the draft: the speaker went on."""
        with self._changed:
            if self._draft is not None and self._draft.kind == "draft":
                self._throw_draft_away()

    def skip(self, segment: Segment) -> None:
        """Let go of what was begun of `segment`, if anything: nobody will ask for it."""
        with self._changed:
            if self._draft is not None and self._draft.segment.same_sound(segment):
                self._throw_draft_away()

    def score(self, segment: Segment) -> Scored:
        """Return what was made of `segment`, ahead or now; without a text if that comes late."""
        with self._changed:
            if self._draft is not None and self._draft.segment.same_sound(segment):
                job, self._draft = self._draft, None
                job.kind = "certain"
                self.speculation.used += 1
            elif self._late is not None and not self._late.result.done():
                return self._without_text(segment, 0.0)
            else:
                self._throw_draft_away()
                job = self._begin(segment, "certain")
        try:
            return job.result.result(self._deadline_s)
        except FutureTimeoutError:
            with self._changed:
                job.unwanted = True
                if not job.result.done():
                    self._late = job
            return self._without_text(segment, self._deadline_s * 1000)

    def listen_in(self, segment: Segment, work: Callable[[GoOn], None]) -> bool:
        """Do `work` on what was said so far if there is nothing else to do; return whether.

        `work` has to ask whether it is still wanted before it says anything, within `quiet`.
        """
        with self._changed:
            if self._closed or any(job is not None for job in self._jobs()):
                return False
            self._next = _Job(segment, work, "partial")
            self._changed.notify()
            return True

    @property
    def quiet(self) -> threading.Condition:
        """Held, no job becomes unwanted."""
        return self._changed

    def close(self) -> None:
        """End the thread after its present step, waiting at most `LONGEST_END_S` for that."""
        with self._changed:
            self._closed = True
            self._throw_draft_away()
            if self._doing is not None:
                self._doing.unwanted = True
            self._changed.notify()
        self._thread.join(LONGEST_END_S)

    def _jobs(self) -> tuple[_Job | None, ...]:
        return self._next, self._doing, self._draft

    def _begin(self, segment: Segment, kind: Literal["draft", "certain"]) -> _Job:
        """Put `segment` next; what is being done beside it can only be unwanted from here on."""
        if self._doing is not None:
            self._doing.unwanted = True
        self._next = _Job(segment, lambda go_on: self._decider.score(segment, go_on), kind)
        self._changed.notify()
        return self._next

    def _throw_draft_away(self) -> None:
        job, self._draft = self._draft, None
        if job is not None:
            job.unwanted = True
            self.speculation.wasted_s += job.spent_s
            if self._next is job:
                self._next = None

    def _without_text(self, segment: Segment, waited_ms: float) -> Scored:
        return self._decider.score_heard(segment, Hearing.without_text("asr_late", waited_ms))

    def _run(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        """Wait for a job and do it; return whether there may be another.

        Nothing here outlives its job: sound and text of what was rejected must not wait for the
        next utterance.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closed)
            job, self._next = self._next, None
            if job is None:
                return False
            self._doing = job
        self._do(job)
        with self._changed:
            self._doing = None
            if self._late is job:
                self._late = None
        return True

    def _do(self, job: _Job) -> None:
        started = perf_counter()
        try:
            scored = job.work(lambda: not job.unwanted)
        except BaseException as error:
            clear_frames(error.__traceback__)
            self._spent(job, started)
            job.result.set_exception(error)
            return
        self._spent(job, started)
        if scored is not None:
            job.result.set_result(scored)
        else:
            job.result.cancel()

    def _spent(self, job: _Job, since_s: float) -> None:
        with self._changed:
            job.spent_s = perf_counter() - since_s
            if job.unwanted and job.kind == "draft":
                self.speculation.wasted_s += job.spent_s
