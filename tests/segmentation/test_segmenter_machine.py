"""What the segmenter makes of short words, clicks, pauses, gaps, and endless speech."""

import numpy as np
import pytest

from tests.support.speech_material import buzz, check_laws, cut, hiss, segments
from turbo_stream.errors import InputError
from turbo_stream.segmentation._webrtc import WebRtcVad
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import SegmentStarted
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, VAD_NAMES, load_vad

COMMAND = (0.9, 2.95)
"""Where "Turn on the kitchen lights." lies in the shipped scene, with a little room around it."""

STOP = (34.6, 35.3)
"""Where "Stop." lies."""


def heard(*parts: np.ndarray, vad: str = "webrtc") -> tuple[Segmenter, list]:
    segmenter = Segmenter(load_vad(vad))
    outputs = segmenter.process(np.concatenate(parts)) + segmenter.flush()
    check_laws(outputs, segmenter)
    return segmenter, outputs


@pytest.mark.parametrize("vad", VAD_NAMES)
def test_every_utterance_of_the_scene_is_found_where_it_is(kitchen_pcm, kitchen_spans, vad):
    _, outputs = heard(kitchen_pcm, vad=vad)
    found = segments(outputs)
    assert len(found) == len(kitchen_spans)
    for segment, span in zip(found, kitchen_spans, strict=True):
        assert segment.dropped is None
        assert segment.start_sample / 16_000 == pytest.approx(span["start_s"], abs=0.3)
        assert segment.end_sample / 16_000 == pytest.approx(span["end_s"], abs=0.3)
        assert segment.endpoint_sample / 16_000 < span["end_s"] + 1.1


def test_pre_roll_and_tail_surround_the_speech(kitchen_pcm):
    room = hiss(1)
    pcm = np.concatenate((room, cut(kitchen_pcm, *COMMAND), room))
    segmenter = Segmenter(WebRtcVad())
    (segment,) = segments(segmenter.process(pcm) + segmenter.flush())
    first = segment.start_sample - 4800
    # Of the 200 ms of tail those that had been heard when the pause was judged.
    last = first + len(segment.pcm)
    assert 1600 <= last - segment.end_sample <= 3200
    np.testing.assert_array_equal(segment.pcm, pcm[first:last])


@pytest.mark.parametrize("vad", VAD_NAMES)
def test_a_short_word_is_kept(kitchen_pcm, vad):
    _, outputs = heard(hiss(1), cut(kitchen_pcm, *STOP), hiss(1.5), vad=vad)
    (segment,) = segments(outputs)
    assert segment.dropped is None
    assert abs(segment.start_sample / 16_000 - 1.12) < 0.15


def test_a_tenth_of_a_second_of_voice_is_enough():
    _, outputs = heard(hiss(1), buzz(0.11), hiss(1.5))
    (segment,) = segments(outputs)
    assert segment.dropped is None


@pytest.mark.parametrize("vad", VAD_NAMES)
@pytest.mark.parametrize("kind", ["noise", "tone"])
def test_a_click_is_no_utterance(vad, kind):
    if kind == "noise":
        click = hiss(0.03, amplitude=9000, seed=3)
    else:
        click = (12_000 * np.sin(np.arange(480) * 0.3)).astype(np.int16)
    _, outputs = heard(hiss(1), click, hiss(1.5), click, hiss(2), vad=vad)
    assert [s for s in segments(outputs) if s.dropped is None] == []


def test_speech_under_the_minimum_is_dropped_as_too_short():
    config = SegmenterConfig(min_speech_ms=400)
    segmenter = Segmenter(WebRtcVad(), config)
    outputs = segmenter.process(np.concatenate((hiss(1), buzz(0.2), hiss(1.5))))
    assert isinstance(outputs[0], SegmentStarted)
    assert segments(outputs)[0].dropped == "too_short"


def test_a_pause_within_a_command_does_not_end_it(kitchen_pcm):
    command = cut(kitchen_pcm, *COMMAND)
    pieces = (hiss(1), command[:18_000], hiss(0.25, 5), command[18_000:], hiss(1.5))
    _, outputs = heard(*pieces)
    assert len(segments(outputs)) == 1


def test_the_first_frame_may_be_speech(kitchen_pcm):
    _, outputs = heard(cut(kitchen_pcm, 1.25, 2.9), hiss(1))
    assert segments(outputs)[0].start_sample < 1600


def test_flush_ends_an_open_utterance_at_its_last_sample(kitchen_pcm):
    pcm = np.concatenate((hiss(1), cut(kitchen_pcm, 1.2, 2.0)))
    segmenter = Segmenter(WebRtcVad())
    assert segments(segmenter.process(pcm)) == []
    (segment,) = segments(segmenter.flush())
    assert segment.dropped is None
    assert segment.endpoint_sample == pcm.size
    assert pcm.size - 3200 < segment.end_sample <= pcm.size


def test_a_vanished_source_drops_the_open_utterance(kitchen_pcm):
    segmenter = Segmenter(WebRtcVad())
    segmenter.process(np.concatenate((hiss(1), cut(kitchen_pcm, 1.2, 2.0))))
    (segment,) = segments(segmenter.abort())
    assert segment.dropped == "source_lost"
    assert segmenter.abort() == []


def test_a_short_gap_is_bridged_and_said(kitchen_pcm):
    command = cut(kitchen_pcm, *COMMAND)
    segmenter = Segmenter(WebRtcVad())
    outputs = segmenter.process(np.concatenate((hiss(1), command[:16_000])))
    outputs += segmenter.gap(3_000)
    outputs += segmenter.process(np.concatenate((command[16_000:], hiss(1.5))))
    (segment,) = segments(outputs)
    assert segment.degraded == ("gap",)
    assert segmenter.lost_samples == 3_000
    assert segmenter.speech_samples == segment.end_sample - segment.start_sample - 3_000
    assert np.count_nonzero(segment.pcm == 0) >= 3_000


def test_a_gap_outside_an_utterance_degrades_none(kitchen_pcm):
    segmenter = Segmenter(WebRtcVad())
    outputs = segmenter.process(hiss(1)) + segmenter.gap(1_000) + segmenter.process(hiss(1))
    outputs += segmenter.process(np.concatenate((cut(kitchen_pcm, *COMMAND), hiss(1.5))))
    (segment,) = segments(outputs)
    assert segment.degraded == ()


def test_a_long_gap_ends_the_utterance_at_the_last_sample(kitchen_pcm):
    command = cut(kitchen_pcm, *COMMAND)
    before = np.concatenate((hiss(1), command[:16_000]))
    segmenter = Segmenter(WebRtcVad())
    outputs = segmenter.process(before) + segmenter.gap(8_000)
    (segment,) = segments(outputs)
    assert segment.degraded == ("gap",) and segment.dropped is None
    assert before.size - 3200 < segment.end_sample <= segment.endpoint_sample == before.size
    outputs = segmenter.process(np.concatenate((command[16_000:], hiss(1.5))))
    (rest,) = segments(outputs)
    assert rest.start_sample >= before.size + 8_000
    assert rest.degraded == ()


def talk(pcm: np.ndarray, seconds: float) -> np.ndarray:
    """Speech of the scene without the pauses between its utterances."""
    pieces = [
        cut(pcm, 9.05, 11.3),
        cut(pcm, 4.5, 7.65),
        cut(pcm, 22.55, 25.2),
        cut(pcm, 36.95, 39.8),
    ]
    return np.resize(np.concatenate(pieces), round(seconds * 16_000))


@pytest.mark.parametrize("vad", VAD_NAMES)
def test_endless_speech_is_split_and_none_of_it_lost(kitchen_pcm, vad):
    segmenter, outputs = heard(hiss(1), talk(kitchen_pcm, 40), hiss(2), vad=vad)
    found = segments(outputs)
    assert len(found) >= 3
    for first, second in zip(found, found[1:], strict=False):
        assert second.start_sample == first.end_sample
        assert 10 * 16_000 <= first.end_sample - first.start_sample <= 15 * 16_000
        assert first.endpoint_sample - first.start_sample <= 15.2 * 16_000
    assert segmenter.speech_samples > 39.5 * 16_000


def test_a_long_utterance_is_split_in_its_longest_pause(kitchen_pcm):
    pause = hiss(0.4, 5, seed=2)
    pcm = np.concatenate((hiss(1), talk(kitchen_pcm, 12), pause, talk(kitchen_pcm, 6), hiss(2)))
    segmenter = Segmenter(WebRtcVad())
    first, second = segments(segmenter.process(pcm))
    assert 13 * 16_000 <= first.end_sample <= 13.4 * 16_000
    assert second.start_sample == first.end_sample


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda x: x // 6, id="quiet: -40 dB"),
        pytest.param(lambda x: np.clip(x.astype(np.int32) * 12, -32768, 32767), id="clipped"),
        pytest.param(lambda x: x.astype(np.int32) // 2 + 8000, id="offset"),
        pytest.param(lambda x: np.repeat(x[::2], 2), id="half band"),
    ],
)
@pytest.mark.parametrize("vad", VAD_NAMES)
def test_bad_recordings_lose_no_utterance(kitchen_pcm, kitchen_spans, change, vad):
    pcm = change(kitchen_pcm[: 24 * 16_000]).astype(np.int16)
    _, outputs = heard(pcm, vad=vad)
    kept = [s for s in segments(outputs) if s.dropped is None]
    for span in kitchen_spans[:6]:
        nearest = min(kept, key=lambda s: abs(s.start_sample / 16_000 - span["start_s"]))
        assert nearest.start_sample / 16_000 == pytest.approx(span["start_s"], abs=0.3)


@pytest.mark.parametrize("vad", VAD_NAMES)
def test_digital_silence_around_words(kitchen_pcm, vad):
    nothing = np.zeros(16_000 * 2, np.int16)
    word = cut(kitchen_pcm, 1.2, 2.875)
    segmenter, outputs = heard(nothing, word, nothing, word, nothing, vad=vad)
    found = segments(outputs)
    assert len(found) == 2
    assert abs(found[0].start_sample / 16_000 - 2) < 0.15
    assert abs(found[1].end_sample / 16_000 - 7.35) < 0.2


@pytest.mark.parametrize("vad", VAD_NAMES)
@pytest.mark.parametrize("amplitude", [0, 20, 2000])
def test_a_steady_room_is_no_speech(vad, amplitude):
    _, outputs = heard(hiss(20, amplitude), vad=vad)
    assert [s for s in segments(outputs) if s.dropped is None] == []


def test_the_default_detector_is_one_of_the_names():
    assert DEFAULT_VAD in VAD_NAMES


@pytest.mark.parametrize("pcm", [np.zeros(4, np.float32), np.zeros((2, 2), np.int16), [1, 2]])
def test_other_sample_types_are_refused(pcm):
    with pytest.raises(InputError, match="int16"):
        Segmenter(WebRtcVad()).process(pcm)


def test_settings_that_contradict_are_refused():
    with pytest.raises(InputError, match="end_silence_ms"):
        SegmenterConfig(end_silence_ms=900)
    with pytest.raises(InputError, match="tail_ms"):
        SegmenterConfig(tail_ms=-1)
    with pytest.raises(InputError, match="-5"):
        Segmenter(WebRtcVad()).gap(-5)


@pytest.mark.parametrize("vad", VAD_NAMES)
@pytest.mark.parametrize("chunk", [1, 333, 100_000])
def test_speech_up_to_the_end_of_the_sound_is_cut_off(kitchen_pcm, vad, chunk):
    for until_s, marked in ((1.6, True), (2.05, True), (2.4, True), (3.2, False), (4.2, False)):
        segmenter, outputs = Segmenter(load_vad(vad)), []
        pcm = cut(kitchen_pcm, 0, until_s) if chunk > 1 else cut(kitchen_pcm, 0.6, until_s)
        for start in range(0, len(pcm), chunk):
            outputs += segmenter.process(pcm[start : start + chunk])
        (segment,) = segments(outputs + segmenter.flush())
        assert segment.degraded == (("cut_off",) if marked else ()), until_s


def test_a_word_that_begins_after_a_pause_may_be_cut_off_too(kitchen_pcm):
    command = cut(kitchen_pcm, *COMMAND)
    _, outputs = heard(hiss(1), command, hiss(0.25), command[6400:7360])
    assert [s.degraded for s in segments(outputs)] == [("cut_off",)]
    _, outputs = heard(hiss(1), command, hiss(0.25))
    assert [s.degraded for s in segments(outputs)] == [()]


def test_what_broke_an_utterance_off_is_said_once(kitchen_pcm):
    segmenter = Segmenter(WebRtcVad())
    segmenter.process(np.concatenate((hiss(1), cut(kitchen_pcm, 0.9, 1.5))))
    segmenter.gap(1600)
    segmenter.process(cut(kitchen_pcm, 1.6, 2.0))
    (segment,) = segments(segmenter.flush())
    assert segment.degraded == ("gap", "cut_off")
    segmenter.process(np.concatenate((hiss(1), cut(kitchen_pcm, 0.9, 2.0))))
    (segment,) = segments(segmenter.gap(16_000))
    assert segment.degraded == ("gap",)
    segmenter.process(np.concatenate((hiss(1), cut(kitchen_pcm, 0.9, 2.0))))
    (segment,) = segments(segmenter.abort())
    assert (segment.dropped, segment.degraded) == ("source_lost", ())
