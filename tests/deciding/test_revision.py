"""Second thoughts: what goes on soon is decided again as one, and nothing else changes."""

import gc
import time
import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.fakes import (
    AttentiveDetector,
    LoudnessDetector,
    ScriptedRecognizer,
    make_pipeline,
)
from tests.support.speech_material import buzz, hiss
from tests.support.streams import feed, untimed
from turbo_stream import (
    Event,
    LiveConfig,
    LivePipeline,
    Score,
    SpeechStarted,
    Transcript,
    Utterance,
)
from turbo_stream.audio.source import Block
from turbo_stream.deciding.revision import LONGEST_S, Revision
from turbo_stream.events import Decision, Revised
from turbo_stream.segmentation.segment import Segment

CALM = hypothesis_settings(max_examples=7, deadline=None)


@pytest.fixture(scope="module")
def pieces() -> np.ndarray:
    """Three pieces 0.9 s apart, and a fourth after 2 s."""
    parts = [hiss(1)]
    for number, after_s in enumerate((0.9, 0.9, 2.0, 2.0)):
        parts += [buzz(0.8 + 0.3 * number), hiss(after_s, seed=number + 1)]
    return np.concatenate(parts)


@dataclass
class LengthDetector(LoudnessDetector):
    """Accepts by the length of the sound: a whole where its pieces are too short."""

    least_s: float = 2.0
    name: str = "length"

    def score(self, pcm: np.ndarray, transcript: Transcript) -> Score:
        p = 0.9 if len(pcm) >= self.least_s * 16_000 else 0.1
        return Score(p, {"directed": p, "not_directed": 1 - p})

    def warm_up(self) -> None:
        return None


def check_laws(events: list[Event]) -> None:
    """One terminal event an utterance, and second thoughts right after that of the last piece.

    The start of what comes next may be told between the two by a live source.
    """
    open_ids: set[int] = set()
    told: dict[int, Utterance] = {}
    for at, event in enumerate(events):
        if isinstance(event, SpeechStarted):
            assert event.id not in open_ids | told.keys()
            open_ids.add(event.id)
        elif isinstance(event, Utterance):
            open_ids.remove(event.id)
            told[event.id] = event
        elif isinstance(event, Revised):
            before = [e for e in events[:at] if isinstance(e, Utterance | Revised)][-1]
            assert isinstance(before, Utterance) and before.id == event.id
            ids = [*event.replaces, event.id]
            assert len(ids) > 1 and ids == list(range(ids[0], ids[-1] + 1))
            found = [told[id] for id in ids]
            assert all(piece.decision != "dropped" for piece in found)
            assert (event.start_s, event.end_s) == (found[0].start_s, found[-1].end_s)
            gaps = [b.start_s - a.end_s for a, b in zip(found, found[1:], strict=False)]
            assert max(gaps) <= 1.2
    assert not open_ids


def revised(events: list[Event]) -> list[Revised]:
    return [event for event in events if isinstance(event, Revised)]


def test_what_goes_on_soon_is_decided_as_one(pieces) -> None:
    events = feed(make_pipeline(detector=LengthDetector(), revise=True), pieces, [len(pieces)])
    check_laws(events)
    decisions = [e.decision for e in events if isinstance(e, Utterance)]
    assert decisions[:3] == ["rejected"] * 3 and len(decisions) == 4
    first, second = revised(events)
    assert (first.replaces, first.id) == ((0,), 1)
    assert (second.replaces, second.id) == ((0, 1), 2)
    assert second.decision == "accepted" and second.text == "turn on the lights"
    assert second.evidence == "content" and second.directed_probability == 0.9


def test_it_is_off_by_default_and_takes_nothing_back(pieces) -> None:
    without = feed(make_pipeline(), pieces, [4000])
    with_it = feed(make_pipeline(revise=True), pieces, [4000])
    assert not revised(without) and len(revised(with_it)) == 2
    kept = [event for event in untimed(with_it) if not isinstance(event, Revised)]
    assert kept == untimed(without)


@CALM
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=8), st.integers(0, 150_000))
def test_chunking_and_more_sound_change_nothing(pieces, sizes, cut) -> None:
    whole = untimed(feed(make_pipeline(revise=True), pieces, [len(pieces)]))
    check_laws(whole)
    assert untimed(feed(make_pipeline(revise=True), pieces, sizes)) == whole
    early = untimed(make_pipeline(revise=True).process(pieces[:cut]))
    assert early == whole[: len(early)]


@CALM
@given(st.integers(0, 100_000), st.integers(1, 30_000), st.integers(1, 20_000))
def test_a_gap_is_never_bridged_by_a_second_thought(pieces, cut, lost, size) -> None:
    pipeline = make_pipeline(revise=True)
    events = pipeline.process(pieces[:cut]) + pipeline.gap(lost, "test")
    events += feed(pipeline, pieces[cut:], [size])
    check_laws(events)
    by_id = {event.id: event for event in events if isinstance(event, Utterance)}
    for event in revised(events):
        assert not any("gap" in by_id[id].degraded for id in (*event.replaces, event.id))
        assert not event.start_s <= cut / 16_000 <= event.end_s


def test_the_pieces_are_not_the_turn_before_of_their_whole(pieces) -> None:
    detector, recognizer = AttentiveDetector(), ScriptedRecognizer("yes")
    pipeline = make_pipeline(recognizer, detector, threshold=0.0, turn_before_s=15, revise=True)
    pipeline.said("shall I?", at_sample=0)
    detector.heard.clear()
    for at in range(0, len(pieces), 5000):
        events = pipeline.process(pieces[at : at + 5000])
        if revised(events):
            # Scored last: after what was said before its first piece, not after that piece.
            assert detector.heard[-1].before == "shall I?"
            assert any(heard.before == "yes" for heard in detector.heard)


def test_the_live_shell_says_the_same(pieces) -> None:
    wanted = untimed(feed(make_pipeline(revise=True), pieces, [1536]))
    live = LivePipeline(make_pipeline(revise=True, partials=False), _Fed(pieces))
    events: list[Event] = list(live.run())
    check_laws(events)
    assert [e for e in untimed(events) if isinstance(e, Revised)] == revised(wanted)


def test_where_utterances_wait_a_second_thought_does_without_a_text(pieces) -> None:
    """As they do themselves: what is put together must not hold up what is still to be decided."""
    recognizer = ScriptedRecognizer()
    pipeline = make_pipeline(recognizer, revise=True, partials=False)
    config = LiveConfig(skip_asr_from=0, speculate=False)
    events: list[Event] = list(LivePipeline(pipeline, _Fed(pieces), config).run())
    check_laws(events)
    assert [event.degraded for event in revised(events)] == [("asr_skipped",)] * 2
    assert recognizer.calls == 0


class _Fed:
    """A source that gives sound at the pace at which it is taken."""

    live = True
    name = "fed"

    def __init__(self, pcm: np.ndarray) -> None:
        self._pcm = pcm

    def __iter__(self):
        for at in range(0, len(self._pcm), 1536):
            yield Block(self._pcm[at : at + 1536])
            time.sleep(0.002)

    def close(self) -> None:
        return None


def _segment(id: int, start: int, samples: int = 16_000) -> Segment:
    return Segment(
        id, start, start + samples, start + samples + 9000, np.full(samples, 7, np.int16)
    )


def _utterance(segment: Segment, decision: Decision = "rejected") -> Utterance:
    return Utterance(
        id=segment.id,
        start_s=segment.start_sample / 16_000,
        end_s=segment.end_sample / 16_000,
        decision=decision,
        reason=None,
        degraded=(),
        directed_probability=0.1,
        threshold=0.5,
        text=None,
        asr={},
    )


def note(
    revision: Revision, segment: Segment, decision: Decision = "rejected"
) -> tuple[int, ...] | None:
    """Return what the whole that `segment` completes replaces."""
    utterance = _utterance(segment, decision)
    whole = revision.note(segment, utterance, before="", in_conversation=False)
    return None if whole is None else whole.replaces


def test_what_is_dropped_or_too_long_or_too_late_is_not_put_together() -> None:
    revision = Revision()
    assert note(revision, _segment(0, 0)) is None
    assert note(revision, _segment(1, 30_000), "dropped") is None
    assert note(revision, _segment(2, 50_000)) is None  # its neighbour was dropped
    assert note(revision, _segment(3, 66_000 + 19_200)) == (2,)
    late = _segment(4, 85_200 + 16_000 + 19_201)
    assert note(revision, late) is None
    hole = replace(_segment(9, late.end_sample + 10), lost_samples=5)
    assert note(revision, hole) is None  # what was said between the two?
    assert note(revision, late) is None
    long = _segment(5, late.end_sample + 10, round(LONGEST_S * 16_000))
    assert note(revision, long) is None


def test_sound_is_let_go_when_nothing_can_follow() -> None:
    for let_go in (lambda r: r.forget(16_000 + 19_201), Revision.reset):
        revision, segment = Revision(), _segment(0, 0)
        note(revision, segment)
        assert revision._kept is not None
        kept = revision._kept.segment.pcm
        assert kept is not segment.pcm and kept.any()
        revision.forget(16_000 + 19_200)
        assert kept.any()  # speech may begin here
        reference = weakref.ref(revision._kept)
        let_go(revision)
        gc.collect()
        assert not kept.any() and reference() is None


def test_a_detector_that_fails_has_no_second_thought(pieces) -> None:
    class Failing(LengthDetector):
        def score(self, pcm, transcript):
            if len(pcm) > 2.2 * 16_000:
                raise ValueError(pcm)
            return super().score(pcm, transcript)

    events = feed(make_pipeline(detector=Failing(), revise=True), pieces, [4000])
    assert not revised(events)
    assert len([e for e in events if isinstance(e, Utterance)]) == 4


def test_a_new_stream_has_nothing_to_do_with_the_one_before(pieces) -> None:
    pipeline = make_pipeline(revise=True)
    whole = untimed(feed(pipeline, pieces, [4000]))
    pipeline.reset()
    pipeline.process(pieces[:40_000])
    pipeline.reset()
    assert untimed(feed(pipeline, pieces, [4000])) == whole
