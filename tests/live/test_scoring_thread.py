"""Work done ahead: taken when the end is confirmed, stopped when the speaker goes on."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream.deciding.decider import Decider
from turbo_stream.live.scoring_thread import ScoringThread, Speculation
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.segmentation.segment import Segment


def segment(id: int, end: int = 16_000) -> Segment:
    """An utterance of one second."""
    return Segment(id, 0, end, end + 4000, np.full(end, 50, np.int16))


@dataclass
class StepRecognizer:
    """Decodes in steps that a test can hold up, and counts how many decode at once."""

    steps: int = 3
    step_s: float = 0.0
    held: threading.Event | None = None
    calls: int = 0
    given_up: int = 0
    at_once: int = 0
    most_at_once: int = 0
    began: threading.Event = field(default_factory=threading.Event)
    name: str = "steps"

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        raise AssertionError("one that can be interrupted is asked in the other way")

    def transcribe_while(self, pcm: np.ndarray, go_on: Callable[[], bool]) -> Transcript | None:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.set()
        try:
            for _ in range(self.steps):
                if self.held is not None:
                    self.held.wait(10)
                time.sleep(self.step_s)
                if not go_on():
                    self.given_up += 1
                    return None
            return Transcript(f"heard {len(pcm)}")
        finally:
            self.at_once -= 1

    def warm_up(self) -> None:
        return None


@pytest.fixture
def start() -> Iterator[Callable[..., ScoringThread]]:
    """Return a function that starts a thread; all of them end with the test."""
    started: list[ScoringThread] = []

    def begin(recognizer, deadline_s: float = 10.0, **accounts) -> ScoringThread:
        decider = Decider(recognizer, LoudnessDetector(always=0.9), 0.5)
        started.append(ScoringThread(decider, deadline_s, Speculation(**accounts)))
        return started[-1]

    yield begin
    for thread in started:
        thread.close()


def test_a_draft_whose_end_is_confirmed_is_not_decoded_again(start) -> None:
    recognizer = StepRecognizer()
    thread = start(recognizer)
    thread.anticipate(segment(0), 1.0)
    thread.confirm(segment(0))
    scored = thread.score(segment(0))
    assert scored.hearing.transcript.text == "heard 16000"
    assert scored.score is not None and scored.score.directed_probability == 0.9
    assert recognizer.calls == 1
    assert thread.speculation.report() == {
        "started": 1,
        "used": 1,
        "declined": 0,
        "wasted_s": 0.0,
    }


def test_a_draft_in_the_making_is_waited_for_and_not_begun_again(start) -> None:
    held = threading.Event()
    recognizer = StepRecognizer(held=held)
    thread = start(recognizer)
    thread.anticipate(segment(0), 1.0)
    assert recognizer.began.wait(5)
    threading.Timer(0.05, held.set).start()
    assert thread.score(segment(0)).hearing.transcript.text == "heard 16000"
    assert recognizer.calls == 1


def test_speech_that_goes_on_stops_the_draft(start) -> None:
    held = threading.Event()
    recognizer = StepRecognizer(held=held)
    thread = start(recognizer)
    thread.anticipate(segment(0), 1.0)
    assert recognizer.began.wait(5)
    thread.abandon()
    held.set()
    longer = segment(0, 32_000)
    assert thread.score(longer).hearing.transcript.text == "heard 32000"
    assert (recognizer.calls, recognizer.given_up, recognizer.most_at_once) == (2, 1, 1)
    assert thread.speculation.used == 0 and thread.speculation.wasted_s > 0


def test_what_is_certain_is_not_disturbed(start) -> None:
    held = threading.Event()
    recognizer = StepRecognizer(held=held)
    thread = start(recognizer)
    thread.anticipate(segment(0), 1.0)
    thread.confirm(segment(0))
    thread.anticipate(segment(1), 2.0)
    thread.abandon()
    held.set()
    assert thread.score(segment(0)).hearing.transcript.text == "heard 16000"
    assert recognizer.given_up == 0
    assert thread.speculation.report()["declined"] == 1


def test_beyond_its_budget_nothing_is_done_ahead(start) -> None:
    recognizer = StepRecognizer(steps=1, step_s=0.05)
    thread = start(recognizer, share=0.0, credit_s=0.01)
    thread.anticipate(segment(0), 100.0)
    assert recognizer.began.wait(5)
    thread.abandon()
    thread.score(segment(0, 32_000))  # after which the one before it has been accounted for
    thread.anticipate(segment(1), 200.0)
    report = thread.speculation.report()
    assert (report["started"], report["declined"]) == (1, 1)
    assert report["wasted_s"] >= 0.05
    assert Speculation(share=0.1, wasted_s=report["wasted_s"]).affordable(200.0)


def test_a_text_that_comes_late_is_not_waited_for_nor_is_the_next(start) -> None:
    release = threading.Event()
    thread = start(ScriptedRecognizer(release=release), deadline_s=0.05)
    assert thread.score(segment(0)).hearing.degraded == ("asr_late",)
    began = time.monotonic()
    late = thread.score(segment(1))
    assert late.hearing.degraded == ("asr_late",) and late.hearing.asr_ms == 0
    assert late.score is not None and time.monotonic() - began < 5
    release.set()
    deadline = time.monotonic() + 5
    while thread.score(segment(2)).hearing.degraded and time.monotonic() < deadline:
        time.sleep(0.01)
    assert thread.score(segment(3)).hearing.transcript.text == "turn on the lights"


def test_a_partial_gives_way_to_a_draft(start) -> None:
    thread = start(StepRecognizer())
    began, ended = threading.Event(), []

    def work(go_on: Callable[[], bool]) -> None:
        began.set()
        while go_on():
            time.sleep(0.001)
        ended.append(True)

    assert thread.listen_in(segment(0, 8000), work)
    assert began.wait(5)
    assert not thread.listen_in(segment(0, 9000), work)
    thread.anticipate(segment(0), 1.0)
    assert thread.score(segment(0)).hearing.transcript.text == "heard 16000"
    assert ended == [True]
    assert thread.speculation.wasted_s == 0


STEPS = st.lists(st.sampled_from(["pause", "resume", "end", "skip", "partial"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_there_are_never_two_decodes_at_a_time_and_every_end_is_judged(steps: list[str]) -> None:
    recognizer = StepRecognizer(step_s=0.0005)
    speculation = Speculation()
    thread = ScoringThread(
        Decider(recognizer, LoudnessDetector(always=0.9), 0.5), 10.0, speculation
    )
    id, end, ends = 0, 1000, 0
    try:
        for step in steps:
            now = segment(id, end)
            if step == "pause":
                thread.anticipate(now, 1.0)
            elif step == "resume":
                thread.abandon()
                end += 100
            elif step == "partial":
                thread.listen_in(now, lambda go_on: None)
            elif step == "skip":
                thread.confirm(now)
                thread.skip(now)
                id, end = id + 1, end + 100
            else:
                thread.confirm(now)
                assert thread.score(now).hearing.transcript.text == f"heard {end}"
                id, end, ends = id + 1, end + 100, ends + 1
    finally:
        thread.close()
    assert recognizer.most_at_once <= 1
    assert recognizer.calls >= ends
    assert speculation.used <= min(ends, speculation.started)


def test_a_closed_thread_ends(start) -> None:
    before = set(threading.enumerate())
    thread = start(StepRecognizer())
    thread.score(segment(0))
    assert set(threading.enumerate()) - before
    thread.close()
    assert not set(threading.enumerate()) - before
    assert not thread.listen_in(segment(1), lambda go_on: None)
