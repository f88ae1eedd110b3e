"""Parts of somebody else's that answer anything or raise, at any time; and callers that leave."""

import json
import math
import threading
import time

import numpy as np

from tests.attacks.conftest import Attack
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
from turbo_stream.audio.push import PushSource
from turbo_stream.segmentation.segment import PauseScore
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

VALUES = [
    *(0.0, 0.3, 0.7, 1.0, -0.0, 1.5, -1e-12, math.nan, math.inf, -math.inf, 10**400, True, 1j),
    *(None, "0.5", b"\xff", [], {}, np.float16(0.5), np.array(0.5), np.array([0.1, 0.2])),
]
TEXTS = ["turn on the light", "", "\ud800", "\x00\x1b[2J", "\u202e" * 999, None, b"light", 7]


class Fickle:
    """Works, or answers anything, or raises."""

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance, self._fails = chance, chance.choice([0.0, 0.05, 0.5, 1.0])

    def __call__(self, works: object, *makes: object) -> object:
        if self._chance.random() >= self._fails:
            return works
        if self._chance.random() < 0.3:
            raise self._one([ValueError, OSError, KeyError, MemoryError, RecursionError])("secret")
        make = self._one([lambda *values: values[0], *makes])
        return make(*(self._one(VALUES) for _ in range(3)), self._one(TEXTS))

    def _one(self, of: list) -> object:
        return of[self._chance.integers(len(of))]


class FickleVad:
    """WebRTC that fails."""

    name = "fickle"

    def __init__(self, fickle: Fickle) -> None:
        self._vad, self._fickle = load_vad("webrtc"), fickle
        self.frame_samples = self._vad.frame_samples
        self.onset_threshold = self._vad.onset_threshold
        self.hold_threshold = self._vad.hold_threshold

    def speech_probability(self, frame: np.ndarray) -> object:
        return self._fickle(self._vad.speech_probability(frame))

    def reset(self) -> None:
        self._vad.reset()
        self._fickle(None)


def fickle(chance: np.random.Generator) -> Pipeline:
    """Return a stream of which every part may fail."""
    fails = [Fickle(chance) for _ in range(5)]
    recognizer, detector = ScriptedRecognizer(), LoudnessDetector()
    transcript = Transcript("turn on the light", Confidence(-0.3))
    recognizer.transcribe = lambda pcm: fails[0](
        transcript,
        lambda a, b, c, text: Transcript(text, Confidence(a, b, c), guard=a, known=b),
        lambda a, b, c, text: Transcript(text, a),
    )
    detector.score = lambda pcm, said: fails[1](
        Score(0.6, {}), lambda a, b, c, text: Score(a, {"directed": b})
    )
    pipeline = make_pipeline(recognizer, detector)

    class Judge:
        score_pause = staticmethod(
            lambda pcm: fails[2](PauseScore(0.5, 0.5), lambda a, b, c, text: PauseScore(a, b))
        )

    pipeline.segmented.segmenter = Segmenter(FickleVad(fails[3]), pause_scorer=Judge())
    pipeline.decider.sound_scorer, pipeline.decider.sound_reject = Judge(), 0.2
    if chance.random() < 0.5:
        pipeline.on_decision = lambda segment, utterance: fails[4](None)
    return pipeline


def check(events: list[Event]) -> None:
    for event in events:
        json.dumps(event.to_json(), allow_nan=False).encode()
    started = [event.id for event in events if isinstance(event, SpeechStarted)]
    assert started == [event.id for event in events if isinstance(event, Utterance)]


def test_whatever_a_part_does_every_utterance_is_decided(
    attack: Attack, kitchen_pcm: np.ndarray
) -> None:
    for chance in attack.inputs(at_least=30):
        pipeline, events = fickle(chance), []
        at = int(chance.integers(len(kitchen_pcm) - 12 * 16_000))
        for start in range(at, at + 12 * 16_000, 1600):
            events += pipeline.process(kitchen_pcm[start : start + 1600])
        check([*events, *pipeline.flush(), pipeline.finished()])


def test_whenever_somebody_leaves_nothing_is_left_running(
    attack: Attack, kitchen_pcm: np.ndarray
) -> None:
    before = set(threading.enumerate())
    for chance in attack.inputs(at_least=8):
        source = PushSource(60.0)
        at = int(chance.integers(len(kitchen_pcm) - 20 * 16_000))
        for start in range(at, at + int(chance.integers(16_000, 20 * 16_000)), 3200):
            source.push(kitchen_pcm[start : start + 3200])
        stays = int(chance.integers(1, 12))
        if chance.random() < 0.3:
            source.end()
        else:
            # Some leave while they wait; whoever waits for good is let go in the end.
            threading.Timer(chance.uniform(0, 0.3), source.end).start()
        held, events = LivePipeline(fickle(chance), source).run(), []
        for event in held:
            events.append(event)
            if len(events) == stays:
                break
        if events and isinstance(events[-1], Finished):
            check(events)
        deadline = time.monotonic() + 10
        while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert not left
        source.push(kitchen_pcm[:1600])
        assert next(held, None) is None
