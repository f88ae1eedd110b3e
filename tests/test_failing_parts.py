"""Parts of somebody else's that fail: the stream goes on, and every utterance is decided.

A part fails by raising, by answering nonsense, or by answering what no number can be made of. One
kind of failure a part is tried in the synchronous core and in the live shell.
"""

import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from turbo_stream import (
    Confidence,
    Event,
    Finished,
    LivePipeline,
    Pipeline,
    Score,
    SpeechStarted,
    Transcript,
    Utterance,
)
from turbo_stream.audio.source import Block, Connection, Gap
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.segmentation.segment import PauseScore
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

SECRET = "what was said"


def fail(*_: object) -> None:
    raise ValueError(SECRET)


def named(answer: object) -> str:
    """Return what a case is called: no address of an object, which differs in each process."""
    return getattr(answer, "__name__", str(answer)[:40])


class Listed:
    """A live source of `items`; one that is an error is raised."""

    live = True

    def __init__(self, items: list) -> None:
        self._items = items
        self.closed = False

    def __iter__(self):
        for item in self._items:
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        self.closed = True


def blocks(pcm: np.ndarray) -> list[Block]:
    return [Block(pcm[i : i + 1600]) for i in range(0, len(pcm), 1600)]


def by_core(pipeline: Pipeline, items: list) -> list[Event]:
    return list(pipeline.run(Listed(items)))


def by_shell(pipeline: Pipeline, items: list) -> list[Event]:
    return list(LivePipeline(pipeline, Listed(items)).run())


Listen = Callable[[Pipeline, list], list[Event]]
both = pytest.mark.parametrize("listen", [by_core, by_shell])


def lawful(events: list[Event], utterances: int = 3) -> list[Utterance]:
    """Return the decisions of a stream that came to its end; every line of it is JSON."""
    for event in events:
        json.loads(json.dumps(event.to_json(), allow_nan=False), parse_constant=fail)
    decided = [event for event in events if isinstance(event, Utterance)]
    assert [e.id for e in events if isinstance(e, SpeechStarted)] == [u.id for u in decided]
    assert len(decided) == utterances and isinstance(events[-1], Finished)
    assert events[-1].utterances == utterances
    return decided


def judge(answer: object) -> SimpleNamespace:
    """A pause judge that gives `answer`, or does what it does."""
    give = answer if callable(answer) else lambda pcm: answer
    return SimpleNamespace(score_pause=give, warm_up=lambda: None)


NO_NUMBERS = [math.nan, math.inf, -math.inf, "0.5", np.array([0.5, 0.5]), 10**400, 1j]
NONSENSE = [-0.01, 1.5, *NO_NUMBERS]


@both
@pytest.mark.parametrize(
    "answer",
    [fail, None, 0.7, *(PauseScore(value, value) for value in NONSENSE)],
    ids=named,
)
def test_a_pause_judge_that_fails_cannot_say(excerpt, listen: Listen, answer, caplog) -> None:
    expected = [(u.start_s, u.end_s) for u in lawful(listen(make_pipeline(), blocks(excerpt)))]
    pipeline = make_pipeline()
    pipeline.segmented.segmenter.pause_scorer = judge(answer)
    pipeline.decider.sound_scorer, pipeline.decider.sound_reject = judge(answer), 0.2
    with caplog.at_level(logging.DEBUG):
        decided = lawful(listen(pipeline, blocks(excerpt)))
    assert [(u.start_s, u.end_s) for u in decided] == expected
    assert {u.decision for u in decided} <= {"accepted", "rejected"}
    assert "could not be scored" in caplog.text or "no probability" in caplog.text
    assert SECRET not in caplog.text


def test_of_a_pause_the_answer_that_is_one_counts() -> None:
    pipeline = make_pipeline()
    pipeline.decider.sound_scorer = judge(PauseScore(math.nan, np.float32(0.25)))
    segment = SimpleNamespace(pause=None, pcm=np.zeros(16, np.int16))
    directed = pipeline.decider.score_sound(segment)
    assert directed == 0.25 and type(directed) is float


@both
@pytest.mark.parametrize("answer", [fail, None, *NONSENSE], ids=named)
def test_a_detector_that_fails_decides_nothing(excerpt, listen: Listen, answer, caplog) -> None:
    detector = LoudnessDetector()
    detector.score = answer if callable(answer) else lambda pcm, said: Score(answer, {})
    with caplog.at_level(logging.DEBUG):
        decided = lawful(listen(make_pipeline(detector=detector), blocks(excerpt)))
    assert {(u.decision, u.reason) for u in decided} == {("dropped", "error")}
    assert "detector loudness failed" in caplog.text and SECRET not in caplog.text


@pytest.mark.parametrize("given", [np.float32(0.75), np.float64(0.75), 1 + 1e-7, -1e-9, 1, True])
def test_a_score_within_rounding_is_one(excerpt, given) -> None:
    detector = LoudnessDetector()
    detector.score = lambda pcm, said: Score(given, {})
    for utterance in lawful(by_core(make_pipeline(detector=detector), blocks(excerpt))):
        assert type(utterance.directed_probability) is float
        assert utterance.directed_probability == pytest.approx(float(given), abs=1e-6)
        assert 0.0 <= utterance.directed_probability <= 1.0


def hears(transcript: object) -> ScriptedRecognizer:
    recognizer = ScriptedRecognizer()
    recognizer.transcribe = transcript if callable(transcript) else lambda pcm: transcript
    return recognizer


@both
@pytest.mark.parametrize("value", NO_NUMBERS, ids=named)
@pytest.mark.parametrize("name", ["avg_logprob", "no_speech_prob", "compression_ratio"])
def test_a_confidence_that_is_no_number_is_none(excerpt, listen: Listen, name, value) -> None:
    said = Transcript("turn on the light", replace(Confidence(-0.3), **{name: value}))
    pipeline = make_pipeline(hears(said), LoudnessDetector(always=1.0))
    for utterance in lawful(listen(pipeline, blocks(excerpt))):
        assert utterance.decision == "accepted" and utterance.text == "turn on the light"
        assert utterance.asr == {"backend": "scripted"}
    assert {said.confidence for said in pipeline.decider.detector.heard} == {None}


@both
@pytest.mark.parametrize(
    "answer",
    [fail, None, "turn on the light", Transcript(None), Transcript(b"turn on")],
    ids=named,
)
def test_a_recognizer_that_fails_leaves_it_to_the_sound(excerpt, listen, answer, caplog) -> None:
    pipeline = make_pipeline(hears(answer), LoudnessDetector(always=1.0))
    for utterance in lawful(listen(pipeline, blocks(excerpt))):
        assert utterance.decision == "accepted" and utterance.text == ""
        assert utterance.degraded == ("asr_failed",)
    assert "recognizer scripted failed" in caplog.text and SECRET not in caplog.text


@both
def test_a_recognizer_that_gives_up_untold_has_failed(excerpt, listen: Listen) -> None:
    recognizer = ScriptedRecognizer()
    recognizer.transcribe_while = lambda pcm, go_on: None
    pipeline = make_pipeline(recognizer, LoudnessDetector(always=1.0))
    for utterance in lawful(listen(pipeline, blocks(excerpt))):
        assert utterance.decision == "accepted" and utterance.degraded == ("asr_failed",)


def test_a_text_that_utf8_cannot_hold_is_made_one_that_it_can(excerpt) -> None:
    said = Transcript("turn \ud800on", guard=7, known=1)
    pipeline = make_pipeline(hears(said), LoudnessDetector(always=1.0))
    for utterance in lawful(by_core(pipeline, blocks(excerpt))):
        assert utterance.text == "turn \ufffdon" and "guard" not in utterance.asr


class FailingVad:
    """WebRTC, which fails at the frames of `when`, by what `answer` does or is."""

    def __init__(self, answer: object, when: Callable[[int], bool]) -> None:
        self._vad, self._answer, self._when, self._frame = load_vad("webrtc"), answer, when, 0
        self.name, self.frame_samples = "failing", self._vad.frame_samples
        self.onset_threshold = self._vad.onset_threshold
        self.hold_threshold = self._vad.hold_threshold
        self.resets = 0

    def speech_probability(self, frame: np.ndarray) -> object:
        self._frame += 1
        if self._when(self._frame):
            return self._answer(frame) if callable(self._answer) else self._answer
        return self._vad.speech_probability(frame)

    def reset(self) -> None:
        self.resets += 1
        self._vad.reset()
        if self._when(self._frame):
            raise ValueError(SECRET)


def with_vad(vad: FailingVad) -> Pipeline:
    pipeline = make_pipeline()
    pipeline.segmented.segmenter = Segmenter(vad)
    return pipeline


@both
@pytest.mark.parametrize("answer", [fail, None, *NONSENSE], ids=named)
def test_a_vad_that_fails_hears_silence(excerpt, listen: Listen, answer, caplog) -> None:
    """From amid the second utterance on: what is open ends by silence, and nothing begins."""
    failing = FailingVad(answer, lambda frame: frame > 280)
    with caplog.at_level(logging.DEBUG):
        decided = lawful(listen(with_vad(failing), blocks(excerpt)), utterances=2)
    assert {u.decision for u in decided} <= {"accepted", "rejected"}
    warnings = [r for r in caplog.records if "vad failing failed" in r.getMessage()]
    assert len(warnings) == 1 and SECRET not in caplog.text


def test_a_vad_that_failed_is_started_anew_and_goes_on(excerpt) -> None:
    failing = FailingVad(fail, lambda frame: frame % 50 == 0)
    lawful(by_core(with_vad(failing), blocks(excerpt)))
    assert failing.resets > 10


@both
def test_a_decision_stands_whatever_is_made_of_it(excerpt, listen: Listen, caplog) -> None:
    expected = [u.decision for u in lawful(listen(make_pipeline(), blocks(excerpt)))]
    pipeline = make_pipeline()
    pipeline.on_decision = fail
    assert [u.decision for u in lawful(listen(pipeline, blocks(excerpt)))] == expected
    assert "`on_decision` failed: ValueError" in caplog.text and SECRET not in caplog.text


BROKEN = [
    OSError("unplugged"),
    Gap(-1, "lost"),
    Gap(1.5, "lost"),
    Gap(math.nan, "lost"),
    Block(np.zeros(100, np.float32)),
    Block(np.zeros((2, 100), np.int16)),
    "sound",
    None,
]


@pytest.mark.parametrize("shell", [False, True])
@pytest.mark.parametrize("broken", BROKEN, ids=named)
def test_what_a_source_breaks_off_is_told_before_its_error(excerpt, shell: bool, broken) -> None:
    """Amid the first utterance."""
    source = Listed([*blocks(excerpt[: 2 * 16_000]), broken, *blocks(excerpt)])
    pipeline = make_pipeline()
    run = LivePipeline(pipeline, source).run() if shell else pipeline.run(source)
    events: list[Event] = []
    with pytest.raises(OSError if isinstance(broken, OSError) else InputError):
        for event in run:
            events.append(event)
    (utterance,) = (event for event in events if isinstance(event, Utterance))
    assert (utterance.decision, utterance.reason) == ("dropped", "source_lost")
    assert pipeline.finished().lost_samples == 0
    assert source.closed or not shell


def test_what_chunks_break_off_is_told_before_their_error(excerpt) -> None:
    import asyncio

    async def chunks():
        yield excerpt[: 2 * 16_000]
        raise OSError("hung up")

    async def listen() -> list[Event]:
        events: list[Event] = []
        with pytest.raises(OSError, match="hung up"):
            async for event in make_pipeline().stream(chunks()):
                events.append(event)
        return events

    (utterance,) = (e for e in asyncio.run(listen()) if isinstance(e, Utterance))
    assert (utterance.decision, utterance.reason) == ("dropped", "source_lost")


def test_a_gap_may_be_counted_by_numpy() -> None:
    (gap,) = make_pipeline().feed(Gap(np.int64(7), "lost"))
    assert json.dumps(gap.to_json()) and type(gap.lost_samples) is int
    assert make_pipeline().feed(Connection("active", ""))


def test_a_scored_row_is_json_whatever_the_recognizer_is_sure_of(tmp_path, kitchen_pcm) -> None:
    import soundfile

    from turbo_stream.evaluation.scoring._scorer import Scorer
    from turbo_stream.evaluation.scoring.settings import ScoringSettings

    soundfile.write(tmp_path / "clip.wav", kitchen_pcm[:32_000], 16_000)
    recognizer = hears(Transcript("turn on the light", Confidence(math.nan)))
    scorer = Scorer(ScoringSettings(asr=recognizer))
    row = scorer.score(Item(index=0, path=tmp_path / "clip.wav", row={}))
    assert "error" not in row
    json.dumps(row, allow_nan=False)
