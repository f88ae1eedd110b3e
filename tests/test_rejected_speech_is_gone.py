"""Of rejected speech nothing is left once it is decided: no object, no sample, no word.

The stream goes on and nothing else is said, so that nothing new takes the place of the old.
"""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.learning.conftest import MODEL, made_vectors
from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from turbo_stream import Confidence, LivePipeline, Pipeline, Score, Transcript, Utterance
from turbo_stream.audio.push import PushSource
from turbo_stream.audio.source import Block
from turbo_stream.learning.learner import Learner
from turbo_stream.live.live_pipeline import LiveConfig
from turbo_stream.recording.config import RecordingConfig
from turbo_stream.recording.recorder import Recorder
from turbo_stream.segmentation.segment import PauseScore, Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

PATIENCE_S = 5.0


class Witness:
    """A recognizer, detector and pause judge that remembers what it was given, weakly."""

    name = "witness"

    def __init__(self, score: float = 0.0, fails: str = "", patience_s: float = 0.0) -> None:
        self.seen: list[weakref.ref] = []
        self.heard = threading.Event()
        self._score, self._fails, self._patience_s = score, fails, patience_s

    def _note(self, what: str, *given: object) -> None:
        self.seen += [weakref.ref(one) for one in given]
        if what == self._fails:
            raise ValueError(given)

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        self._note("recognizer", pcm)
        said = Transcript("what nobody was to hear", Confidence(-0.3))
        self._note("", said)
        time.sleep(self._patience_s)
        return said

    def score(self, pcm: np.ndarray, transcript: Transcript) -> Score:
        # What stands for any text at all is a constant.
        self._note("detector", pcm, *([transcript] if transcript.known else []))
        return Score(self._score, {})

    def score_pause(self, pcm: np.ndarray) -> PauseScore:
        self._note("judge", pcm)
        return PauseScore(None, 0.9)

    def warm_up(self) -> None:
        return None

    @property
    def left(self) -> list[object]:
        """What is still there of what was seen."""
        return [one for ref in self.seen if (one := ref()) is not None]


def pipeline(witness: Witness) -> Pipeline:
    made = make_pipeline(witness, witness, turn_before_s=15.0)
    made.said("what everybody has heard")
    made.segmented.segmenter.pause_scorer = made.decider.sound_scorer = witness
    made.decider.sound_reject = 0.2
    return made


def gone(witness: Witness) -> bool:
    """Wait a little for threads that finish their step; return whether all is gone."""
    assert witness.seen
    deadline = time.monotonic() + PATIENCE_S
    while witness.left and time.monotonic() < deadline:
        time.sleep(0.01)
    return not witness.left


@pytest.fixture
def utterance_pcm(kitchen_pcm: np.ndarray) -> np.ndarray:
    """One utterance and the silence that ends it."""
    return np.concatenate([kitchen_pcm[: 3 * 16_000], np.zeros(32_000, np.int16)])


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    """What only the collector of rings would find is not gone yet."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


FAILURES = ["", "recognizer", "detector", "judge"]


@pytest.mark.parametrize("fails", FAILURES)
def test_nothing_is_left_of_it_in_the_core(utterance_pcm, fails) -> None:
    witness = Witness(fails=fails)
    core = pipeline(witness)
    decided = []
    for start in range(0, len(utterance_pcm), 1600):
        decided += core.process(utterance_pcm[start : start + 1600].copy())
    utterances = [event for event in decided if isinstance(event, Utterance)]
    assert utterances and all(u.decision != "accepted" and u.text is None for u in utterances)
    assert gone(witness)


def test_nothing_but_vectors_is_left_of_it_where_corrections_are_learned(
    utterance_pcm, tmp_path
) -> None:
    witness, learner = Witness(), Learner(tmp_path / "learned.json", MODEL)
    score = witness.score
    witness.score = lambda *given: replace(score(*given), vectors=made_vectors())
    core = pipeline(witness)
    core.decider.learner = learner
    decided = core.process(utterance_pcm.copy())
    (utterance,) = [event for event in decided if isinstance(event, Utterance)]
    assert utterance.decision == "rejected" and utterance.text is None
    assert gone(witness)
    core.correct(utterance.correction_id, directed=True)
    assert gone(witness)
    assert learner.learned.directed == 1


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("fails", FAILURES)
def test_nothing_is_left_of_it_in_the_live_shell(utterance_pcm, fails, late) -> None:
    """The source stays open and silent; each thread waits for what comes next."""
    witness, source = Witness(fails=fails, patience_s=0.6 if late else 0.0), PushSource()
    config = LiveConfig(asr_deadline_s=0.1 if late else 3.0)
    events = LivePipeline(pipeline(witness), source, config).run()
    blocks = []
    for start in range(0, len(utterance_pcm), 1600):
        pcm = utterance_pcm[start : start + 1600].copy()
        blocks.append(weakref.ref(pcm))
        source.push(pcm)
        del pcm
    event = next(events)
    while not isinstance(event, Utterance):
        event = next(events)
    assert event.decision != "accepted" and event.text is None
    assert gone(witness)
    deadline = time.monotonic() + PATIENCE_S
    while any(ref() is not None for ref in blocks) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(ref() is not None for ref in blocks)
    events.close()


def test_what_gives_way_to_others_is_gone_at_once(kitchen_pcm: np.ndarray) -> None:
    """More utterances than may wait, behind one that is being recognized."""
    release = threading.Event()
    witness, source = Witness(), PushSource(60.0)
    witness.transcribe = lambda pcm: release.wait(10) and Transcript("", Confidence(0.0))
    events = LivePipeline(pipeline(witness), source, LiveConfig(max_waiting=1)).run()
    source.push(kitchen_pcm[: 30 * 16_000].copy())
    next(events)
    time.sleep(0.5)
    release.set()
    source.end()
    decided = [event for event in events if isinstance(event, Utterance)]
    assert any(event.reason == "overload" for event in decided)
    assert gone(witness)


@pytest.mark.parametrize("score", [0.0, 1.0])
@pytest.mark.parametrize("shell", [False, True])
def test_whoever_keeps_its_sound_keeps_silence(utterance_pcm, shell: bool, score: float) -> None:
    """Of accepted speech it is the keeper's."""
    kept: list[np.ndarray] = []

    def keep(pcm: np.ndarray) -> Transcript:
        kept.append(pcm)
        return Transcript("turn on the light", Confidence(-0.3))

    recognizer = ScriptedRecognizer()
    recognizer.transcribe = keep
    one = make_pipeline(recognizer, LoudnessDetector(always=score), partials=False)
    if shell:
        source = PushSource()
        source.push(utterance_pcm)
        source.end()
        assert list(LivePipeline(one, source).run())
    else:
        assert one.process(utterance_pcm)
    assert kept and kept[-1].any() == (score == 1.0)


def test_a_recorder_that_keeps_no_rejected_speech_overwrites_it(tmp_path, utterance_pcm) -> None:
    shown: list[Segment] = []
    one = make_pipeline(detector=LoudnessDetector(always=0.0))
    with Recorder(RecordingConfig(tmp_path / "own"), say=print) as recorder:

        def note(segment: Segment, utterance: Utterance) -> None:
            shown.append(segment)
            recorder.note(segment, utterance)

        one.on_decision = note
        one.process(utterance_pcm)
    assert shown and not any(segment.pcm.any() for segment in shown)


def test_the_segmenter_remembers_no_sample_of_what_has_ended(utterance_pcm) -> None:
    segmenter = Segmenter(load_vad("webrtc"))
    ended: list[Segment] = []
    for start in range(0, len(utterance_pcm), 160):
        outputs = segmenter.process(utterance_pcm[start : start + 160])
        ended += [output for output in outputs if isinstance(output, Segment)]
        if ended:
            break
    (segment,) = ended
    history = segmenter._state.history
    assert segment.pcm.any() and history.end >= segment.end_sample
    assert not history.read(history.oldest, segment.end_sample).any()
    assert segmenter._state.utterance is None


def test_what_was_read_is_overwritten_in_the_ring_of_a_microphone() -> None:
    from turbo_stream.audio._ring import Ring

    ring = Ring(100, 1)
    sound = np.full((60, 1), 7, ring._frames.dtype).tobytes()
    for _ in range(3):
        ring.write(sound)
        assert ring.read()[1].any()
        assert not ring._frames.any()


def test_a_block_of_a_source_is_not_kept_while_the_next_is_waited_for(kitchen_pcm) -> None:
    refs: list[weakref.ref] = []

    def blocks() -> Iterator[Block]:
        for start in range(0, 32_000, 1600):
            assert not any(ref() is not None for ref in refs)
            pcm = kitchen_pcm[start : start + 1600].copy()
            refs.append(weakref.ref(pcm))
            block = Block(pcm)
            del pcm
            box = [block]
            del block
            yield box.pop()

    assert list(make_pipeline().run(blocks()))
