"""The synchronous core beyond its laws: sources, pausing, async, and what it refuses."""

import asyncio

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector, make_pipeline
from tests.support.streams import untimed
from turbo_stream import (
    Block,
    Connection,
    Event,
    Finished,
    Gap,
    InputError,
    Models,
    Pipeline,
    Ready,
    Settings,
    SpeechStarted,
    Utterance,
    open_source,
)
from turbo_stream._util.timebase import SAMPLE_RATE


def utterances(events) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def test_a_file_from_ready_to_finished(kitchen_spans: list[dict]) -> None:
    from tests.support.paths import KITCHEN

    events = list(make_pipeline().run(open_source(KITCHEN)))
    assert isinstance(events[0], Ready) and isinstance(events[-1], Finished)
    found = utterances(events)
    assert len(found) == len(kitchen_spans)
    for utterance, span in zip(found, kitchen_spans, strict=True):
        assert utterance.start_s == pytest.approx(span["start_s"], abs=0.3)
        assert utterance.end_s == pytest.approx(span["end_s"], abs=0.5)
    finished = events[-1]
    assert finished.utterances == len(found)
    assert 0 < finished.real_time_factor < 1


def test_a_gap_and_a_lost_source_in_the_synchronous_core(kitchen_pcm: np.ndarray) -> None:
    items = [
        Block(kitchen_pcm[: 2 * SAMPLE_RATE]),
        Connection("reconnecting", "unplugged"),
        Gap(SAMPLE_RATE, "device lost"),
        Connection("active"),
        Block(kitchen_pcm[3 * SAMPLE_RATE : 9 * SAMPLE_RATE]),
    ]
    events = list(make_pipeline().run(items))
    assert [type(e).__name__ for e in events] == [
        "Ready",
        "SpeechStarted",
        "SourceChanged",
        "Utterance",
        "GapReported",
        "SourceChanged",
        "SpeechStarted",
        "Utterance",
        "Finished",
    ]
    assert events[3].reason == "source_lost"
    assert events[-1].lost_samples == SAMPLE_RATE and events[-1].dropped == 1


def test_while_paused_nothing_is_heard_and_times_stay_right(kitchen_pcm: np.ndarray) -> None:
    pipeline = make_pipeline()
    events = pipeline.process(kitchen_pcm[: 2 * SAMPLE_RATE])
    assert isinstance(events[-1], SpeechStarted)
    ended = pipeline.pause()
    assert [type(e) for e in ended] == [Utterance], "what was said until then is decided"
    assert pipeline.process(kitchen_pcm[2 * SAMPLE_RATE : 12 * SAMPLE_RATE]) == []
    pipeline.resume()
    later = pipeline.process(kitchen_pcm[12 * SAMPLE_RATE : 16 * SAMPLE_RATE]) + pipeline.flush()
    assert utterances(later)[0].start_s == pytest.approx(13.025, abs=0.3)
    assert pipeline.finished().audio_s == 16


def test_the_async_form_says_the_same(kitchen_pcm: np.ndarray) -> None:
    async def chunks():
        for start in range(0, 12 * SAMPLE_RATE, 1600):
            yield kitchen_pcm[start : start + 1600]

    async def collect():
        return [event async for event in make_pipeline().stream(chunks())]

    events = asyncio.run(collect())
    core = make_pipeline()
    expected = core.process(kitchen_pcm[: 12 * SAMPLE_RATE]) + core.flush()
    assert [u.start_s for u in utterances(events)] == [u.start_s for u in utterances(expected)]
    assert isinstance(events[0], Ready) and isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "wrong", [np.zeros(10, np.float32), np.zeros((10, 2), np.int16), np.zeros(10, np.int32)]
)
def test_samples_of_another_kind_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"give int16 of shape \[N\], 16 kHz mono"):
        make_pipeline().process(wrong)


def test_no_samples_are_fine() -> None:
    pipeline = make_pipeline()
    assert pipeline.process(np.zeros(0, np.int16)) == [] and pipeline.flush() == []
    assert pipeline.finished(0.0).real_time_factor is None


def test_speech_over_the_devices_own_voice_is_marked(kitchen_pcm: np.ndarray) -> None:
    """The device plays a line of the scene; its echo comes back 40 ms later, 20 dB down."""
    pytest.importorskip("livekit", reason="needs the extra: pip install 'turbo-listen[echo]'")
    near = kitchen_pcm[: 9 * SAMPLE_RATE]
    played = np.zeros_like(near)
    played[: 3 * SAMPLE_RATE] = kitchen_pcm[26 * SAMPLE_RATE : 29 * SAMPLE_RATE]
    echo = np.concatenate([np.zeros(640), played[:-640]]) * 0.1
    heard = np.clip(near + echo, -32768, 32767).astype(np.int16)
    pipeline = make_pipeline()
    events = pipeline.process(heard, played) + pipeline.flush()
    over, after = utterances(events)
    assert over.start_s == pytest.approx(1.2, abs=0.3) and over.barge_in is True
    assert after.start_s == pytest.approx(4.475, abs=0.3) and after.barge_in is False

    pipeline.reset()
    alone = pipeline.process(echo.astype(np.int16), played) + pipeline.flush()
    assert not any(u.barge_in for u in utterances(alone)), "its own voice is nobody's speech"


def test_streams_of_one_loaded_pipeline_know_nothing_of_each_other(kitchen_pcm) -> None:
    models = Models.load(Settings(asr="none", follow_up=True))
    first, second = models.stream(), models.stream()
    assert first.decider.recognizer is second.decider.recognizer
    pcm = [kitchen_pcm[: 8 * SAMPLE_RATE], kitchen_pcm[8 * SAMPLE_RATE : 16 * SAMPLE_RATE]]
    together: list[list[Event]] = [[], []]
    for start in range(0, 8 * SAMPLE_RATE, 1000):
        for index, stream in enumerate((first, second)):
            together[index] += stream.process(pcm[index][start : start + 1000])
    for index, stream in enumerate((first, second)):
        together[index] += stream.flush()
        stream.reset()
        alone = stream.process(pcm[index]) + stream.flush()
        assert untimed(together[index]) == untimed(alone) and utterances(alone)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sound_reject": 1.0},
            "`sound_reject` is 1.0, which is not allowed; give a number from 0 and below 1",
        ),
        ({"turn_model": "nowhere.onnx"}, "nowhere.onnx"),
    ],
)
def test_wrong_settings_of_what_is_done_early_are_refused(options, message) -> None:
    with pytest.raises(InputError, match=message):
        Pipeline.load(asr="none", **options)


def test_a_threshold_that_moves_never_accepts_speech_without_a_text() -> None:
    choices = {"sound_reject": 0.3, "threshold": 0.7, "follow_up": True}
    pipeline = Pipeline.load(asr="none", **choices)
    with pytest.raises(InputError, match="give 0.5"):  # 0.3 with what follow-ups may add
        pipeline.threshold = 0.31
    pipeline.threshold = 0.6
    assert pipeline.threshold == 0.6


def test_a_detector_of_ones_own_keeps_the_names_it_came_with() -> None:
    class Named(LoudnessDetector):
        called: tuple[str, ...] = ("friday",)

        def named(self, names) -> "Named":
            other = Named()
            other.called = tuple(names)
            return other

    models = Models.load(Settings(asr="none"), detector=Named())
    assert models.stream().decider.detector.called == ("friday",)
    assert models.stream(names=["hal"]).decider.detector.called == ("hal",)


def test_a_voice_detector_that_cannot_be_had_is_told_before_any_stream(monkeypatch) -> None:
    monkeypatch.setattr("turbo_stream.segmentation._silero.MODEL_FILE", "nowhere.onnx")
    with pytest.raises(InputError, match="nowhere.onnx"):
        Models.load(Settings(asr="none", vad="silero"))
