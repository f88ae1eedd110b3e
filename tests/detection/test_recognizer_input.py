"""A package that reads the recognizer's states: what reaches the graph, and with whom it works."""

import numpy as np
import pytest

from tests.support.paths import ROOT
from tests.support.tiny_package import write_package
from tests.support.tiny_states import SOURCE, write_states_package
from turbo_stream import InputError, PackageError, Pipeline, TurboStreamError
from turbo_stream.deciding.decider import Decider
from turbo_stream.detection._graph import TurboGraph
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.recognition.encoder_states import StatesSource
from turbo_stream.recognition.recognizer import Confidence, NoRecognizer, Transcript
from turbo_stream.recognition.told import told
from turbo_stream.segmentation.segment import PauseScore, Segment

IDS = np.array([[2, 4, 3]], np.int64)
CONFIDENCE = told(Transcript("turn on", Confidence(-0.5, 0.25, 1.5))).vector
PCM = np.ones(3200, np.int16)


class Encoding(NoRecognizer):
    """A recognizer with states of ones, ten of them."""

    def __init__(self, **changes) -> None:
        self.source = StatesSource(**{**SOURCE, **changes})

    def transcribe(self, pcm) -> Transcript:
        return Transcript("turn on", states=self.encode(pcm))

    def encode(self, pcm) -> np.ndarray:
        return np.ones((10, 3), np.float32)

    def states_source(self) -> StatesSource:
        return self.source


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> ModelPackage:
    return ModelPackage.load(write_states_package(tmp_path_factory.mktemp("package") / "tiny"))


def heard(package, states):
    """Return mean |state|, first, last and length as the graph saw them."""
    graph = TurboGraph(package)
    return graph.run(PCM, IDS, np.ones_like(IDS), CONFIDENCE, states).audio_embedding


def test_states_reach_the_graph_in_place_of_the_samples(package) -> None:
    states = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert heard(package, states).tolist() == [5.5, 1.0, 10.0, 4.0]
    assert heard(package, np.zeros((0, 3), np.float32)).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_of_a_longer_utterance_the_last_states_count(tmp_path) -> None:
    short = ModelPackage.load(write_states_package(tmp_path / "tiny", max_seconds=0.1))
    states = np.repeat(np.arange(20, dtype=np.float32)[:, None], 3, axis=1)
    assert heard(short, states).tolist() == [17.0, 15.0, 19.0, 5.0]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (None, "no encoder states of whisper:tiny.en came"),
        (np.zeros((4, 2), np.float32), r"shape \[4, 2\] were given; \[N, 3\]"),
    ],
)
def test_without_the_right_states_there_is_no_score(package, states, said) -> None:
    with pytest.raises(TurboStreamError, match=said):
        heard(package, states)


def test_a_text_of_another_language_is_left_out_and_the_states_are_not(package) -> None:
    given = Transcript("turn on the light", states=np.full((5, 3), 2.0, np.float32))
    bare = Transcript("", states=given.states, known=False)
    worded, wordless = (TurboDetector(package, use_text=use) for use in (True, False))
    assert wordless.score(PCM, given) == worded.score(PCM, bare) != worded.score(PCM, given)


def test_an_utterance_without_states_is_dropped_not_guessed(package) -> None:
    detector = TurboDetector(package)
    detector.warm_up()
    segment = Segment(0, 0, len(PCM), len(PCM), PCM)
    assert Decider(Encoding(), detector, 0.5).decide(segment).decision in ("accepted", "rejected")
    dropped = Decider(NoRecognizer(), detector, 0.5).decide(segment)
    assert (dropped.decision, dropped.reason) == ("dropped", "error")


def test_at_a_pause_it_has_nothing_to_say(package) -> None:
    assert TurboDetector(package).score_pause(PCM) == PauseScore(None, None)


def test_another_name_is_no_other_recognizer(package) -> None:
    package.check_recognizer(Encoding(recognizer="whisper:copy"))


@pytest.mark.parametrize(
    ("recognizer", "said"),
    [
        (NoRecognizer(), "cannot work with none: give that Whisper as `asr`"),
        (Encoding(sha256="cd" * 32), "another sha256"),
        (Encoding(window_floor_s=5.0), "another window_floor_s"),
    ],
)
def test_another_recognizer_is_refused_in_a_line(package, recognizer, said) -> None:
    with pytest.raises(InputError, match=said) as caught:
        package.check_recognizer(recognizer)
    assert "\n" not in str(caught.value)


def test_a_package_that_hears_for_itself_works_with_every_recognizer(tiny) -> None:
    assert tiny.audio_input is None
    tiny.check_recognizer(NoRecognizer())


@pytest.mark.parametrize("asr", ["none", str(ROOT / "tests" / "assets" / "whisper-kitchen")])
def test_the_pipeline_refuses_to_listen_with_another(package, asr) -> None:
    with pytest.raises(InputError, match=r"reads the encoder states of whisper:tiny\.en"):
        Pipeline.load(package.folder, asr=asr, vad="webrtc")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "waveform"},
        {"kind": None},
        {"width": 0},
        {"recognizer": ""},
        {"sha256": 7},
        {"window_floor_s": "10"},
    ],
)
def test_a_wrong_audio_input_is_refused_naming_its_key(tmp_path, change) -> None:
    folder = write_states_package(tmp_path / "tiny", source=change)
    with pytest.raises(PackageError, match=f"audio_input.{next(iter(change))}"):
        ModelPackage.load(folder)


def test_a_graph_that_reads_something_else_is_refused(tmp_path) -> None:
    bound = {"kind": "recognizer_states", "width": 3, **SOURCE}
    folder = write_package(tmp_path / "tiny", audio_input=bound)
    with pytest.raises(PackageError, match="input 'states' is None"):
        TurboGraph(ModelPackage.load(folder))
