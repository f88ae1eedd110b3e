"""Pauses: what is cut out is fixed there, and a judge may shorten or not what follows."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.speech_material import buzz, check_laws, fingerprint, hiss, segments
from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.errors import InputError
from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation._webrtc import WebRtcVad
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import PauseScore, Segment, SegmentPaused, SegmentResumed
from turbo_stream.segmentation.segmenter import Segmenter


@dataclass
class LongEnough:
    """Takes an utterance for finished from a length on."""

    samples: int
    heard: list[int] = field(default_factory=list)

    def score_pause(self, pcm: np.ndarray) -> PauseScore:
        self.heard.append(len(pcm))
        return PauseScore(float(len(pcm) >= self.samples), 0.25)

    def warm_up(self) -> None:
        return None


def run(pcm: np.ndarray, judge: LongEnough | None = None, sizes: list[int] | None = None):
    segmenter = Segmenter(WebRtcVad(), pause_scorer=judge)
    outputs, at = [], 0
    for size in sizes or [len(pcm)]:
        outputs += segmenter.process(pcm[at : at + size])
        at += size
    outputs += segmenter.process(pcm[at:])
    outputs += segmenter.flush()
    check_laws(outputs, segmenter)
    return outputs


@pytest.fixture(scope="module")
def two_parts() -> np.ndarray:
    """One second of voice, a pause of 0.5 s, another second."""
    return np.concatenate((hiss(1), buzz(1.0), hiss(0.5, seed=1), buzz(1.0), hiss(1.5, seed=2)))


def test_a_pause_is_told_and_taken_back_when_speech_goes_on(two_parts) -> None:
    outputs = run(two_parts)
    kinds = [type(output).__name__ for output in outputs]
    assert kinds == [
        "SegmentStarted",
        "SegmentPaused",
        "SegmentResumed",
        "SegmentPaused",
        "Segment",
    ]
    first, last = (o.draft for o in outputs if isinstance(o, SegmentPaused))
    (segment,) = segments(outputs)
    assert len(first.pcm) < len(last.pcm) == len(segment.pcm)
    assert last.endpoint_sample - last.end_sample < ms_to_samples(300)
    assert segment.endpoint_sample - last.endpoint_sample >= ms_to_samples(300)


def test_what_sounds_finished_ends_sooner(two_parts) -> None:
    judge = LongEnough(ms_to_samples(1800))
    (patient,), (judged,) = segments(run(two_parts)), segments(run(two_parts, judge))
    assert (judged.start_sample, judged.end_sample) == (patient.start_sample, patient.end_sample)
    saved = patient.endpoint_sample - judged.endpoint_sample
    config = SegmenterConfig()
    assert saved >= ms_to_samples(config.end_silence_ms - config.finished_silence_ms - 20)
    assert judged.pause == PauseScore(1.0, 0.25) and patient.pause is None
    assert len(judge.heard) == 2  # once a pause


def test_what_sounds_finished_and_goes_on_is_two_utterances(two_parts) -> None:
    first, second = segments(run(two_parts, LongEnough(0)))
    assert first.end_sample <= second.start_sample


def test_what_is_too_short_is_not_judged() -> None:
    pcm = np.concatenate((hiss(1), buzz(0.3), hiss(1.5, seed=1)))
    judge = LongEnough(0)
    segmenter = Segmenter(WebRtcVad(), SegmenterConfig(min_speech_ms=600), judge)
    outputs = segmenter.process(pcm)
    assert [o.dropped for o in segments(outputs)] == ["too_short"]
    assert not judge.heard and not any(isinstance(o, SegmentPaused) for o in outputs)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40_000), max_size=6), st.sampled_from([0, 25_000, 30_000, 90_000]))
def test_chunking_changes_nothing_that_is_judged(two_parts, sizes, samples) -> None:
    whole = run(two_parts, LongEnough(samples))
    assert fingerprint(run(two_parts, LongEnough(samples), sizes)) == fingerprint(whole)


def test_the_utterance_being_spoken_can_be_had_so_far(two_parts) -> None:
    segmenter = Segmenter(WebRtcVad())
    assert segmenter.speaking is None
    with pytest.raises(RuntimeError, match="nobody is speaking"):
        segmenter.so_far()
    segmenter.process(two_parts[: ms_to_samples(1600)])
    started, spoken = segmenter.speaking, segmenter.so_far()
    assert started is not None and (spoken.id, spoken.start_sample) == (0, started.start_sample)
    assert spoken.end_sample == segmenter.now_sample
    heard = two_parts[: spoken.end_sample]
    np.testing.assert_array_equal(spoken.pcm, heard[-len(spoken.pcm) :])
    segmenter.process(two_parts[ms_to_samples(1600) : ms_to_samples(2300)])
    assert segmenter.speaking is None  # a pause


def test_an_unbelieved_verdict_leaves_the_silence_as_it_was() -> None:
    config = SegmenterConfig()
    silence = EndSilence(config)
    assert silence.required_samples(2000, None) == ms_to_samples(600)
    assert silence.required_samples(2000, 0.9) == ms_to_samples(config.finished_silence_ms)
    assert silence.required_samples(2000, 0.1) == ms_to_samples(config.unfinished_silence_ms)


def test_the_silence_after_what_sounds_finished_has_room_for_the_pause() -> None:
    with pytest.raises(InputError, match="pause_ms=300 must not exceed finished_silence_ms=240"):
        SegmenterConfig(pause_ms=300, finished_silence_ms=240)


def test_a_draft_is_what_the_segment_will_be(kitchen_pcm) -> None:
    outputs = run(kitchen_pcm[: ms_to_samples(15_000)], LongEnough(40_000))
    drafts = {}
    for output in outputs:
        if isinstance(output, SegmentPaused):
            drafts[output.draft.id] = output.draft
        elif isinstance(output, SegmentResumed):
            del drafts[output.id]
        elif isinstance(output, Segment) and output.id in drafts:
            np.testing.assert_array_equal(output.pcm, drafts[output.id].pcm)
    assert len(drafts) >= 3
