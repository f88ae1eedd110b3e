"""Listening in the background: the same events, and no thread that outlives it."""

import threading

import numpy as np
import pytest

from tests.support.fakes import ScriptedRecognizer, make_pipeline
from tests.support.streams import untimed
from turbo_stream.audio.push import PushSource
from turbo_stream.audio.source import Block
from turbo_stream.events import Finished, Ready, SpeechStarted, Utterance
from turbo_stream.live.listener import Listener
from turbo_stream.pipeline import Models, Pipeline
from turbo_stream.settings import Settings


class Recording:
    """A source that can wait."""

    live = False

    def __init__(self, pcm: np.ndarray) -> None:
        self.pcm = pcm
        self.closed = False

    def __iter__(self):
        for start in range(0, len(self.pcm), 1600):
            if self.closed:
                return
            yield Block(self.pcm[start : start + 1600])

    def close(self) -> None:
        self.closed = True


def test_the_callback_is_told_what_run_would_yield(excerpt: np.ndarray) -> None:
    told = []
    listener = Listener(make_pipeline(), Recording(excerpt), told.append)
    assert listener.wait(30) and told
    expected = list(make_pipeline().run(Recording(excerpt)))
    assert untimed(told)[:-1] == untimed(expected)[:-1]
    assert isinstance(told[0], Ready) and isinstance(told[-1], Finished)


def test_a_live_source_is_closed_and_what_was_heard_is_decided(excerpt: np.ndarray) -> None:
    told, speaking = [], threading.Event()

    def on_event(event) -> None:
        told.append(event)
        if isinstance(event, SpeechStarted):
            speaking.set()

    source = PushSource()
    before = threading.active_count()
    with Listener(make_pipeline(), source, on_event) as listener:
        source.push(excerpt[:32_000])
        assert speaking.wait(10) and not listener.wait(0)
    assert isinstance(told[-1], Finished)
    assert [e.decision for e in told if isinstance(e, Utterance)]
    assert threading.active_count() == before
    listener.close()


def test_what_the_callback_raises_is_not_lost(excerpt: np.ndarray) -> None:
    def on_event(event) -> None:
        raise KeyError("handler")

    with (
        pytest.raises(KeyError, match="handler"),
        Listener(make_pipeline(), PushSource(), on_event),
    ):
        pass


def test_parts_of_your_own_take_the_place_of_ours(excerpt: np.ndarray) -> None:
    from tests.support.fakes import LoudnessDetector
    from turbo_stream.errors import InputError

    detector, recognizer = LoudnessDetector(always=0.9), ScriptedRecognizer("own words")
    pipeline = Pipeline.load(asr=recognizer, detector=detector)
    (first, *_) = [e for e in pipeline.process(excerpt) if isinstance(e, Utterance)]
    assert (first.decision, first.text, first.directed_probability) == (
        "accepted",
        "own words",
        0.9,
    )
    assert pipeline.ready.asr == "scripted" and pipeline.ready.model == "loudness"
    assert pipeline.threshold == 0.5
    assert Pipeline.load(asr="none", detector=detector, threshold=0.1).threshold == 0.1
    for wrong in ({"operating_point": "fa1"}, {"sound_reject": 0.1}):
        with pytest.raises(InputError, match="are Turbo's"):
            Pipeline.load(asr="none", detector=detector, **wrong)


def test_a_stream_has_a_threshold_of_its_own(excerpt: np.ndarray) -> None:
    from turbo_stream.errors import InputError

    shared = Models.load(Settings(asr="none"))
    strict, open_to_all = shared.stream(threshold=1.0), shared.stream(threshold=0.0)
    for pipeline, decision in ((strict, "rejected"), (open_to_all, "accepted")):
        events = pipeline.process(excerpt)
        assert {e.decision for e in events if isinstance(e, Utterance)} == {decision}
        assert pipeline.ready.threshold == pipeline.threshold
    assert 0 < shared.stream().threshold < 1
    with pytest.raises(InputError, match="`threshold` is -1"):
        shared.stream(threshold=-1)
