"""Features made of the recognizer's states, by the very recognizer that listens."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("faster_whisper")

from models.turbo import Turbo
from tests.support.paths import ROOT
from tests.support.tiny_corpus import write_tone
from tests.support.tiny_network import TINY
from training.data.augment import AugmentConfig, Surroundings
from training.data.clip import Clip
from training.data.features import AS_RECORDED, FeatureStore, front_digest
from training.data.recognizer_states import RecognizerStates, load_states, with_source
from training.fitting.recipe import build_recipe
from training.fitting.workbench import prepare
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
SHARED = replace(TINY, audio="recognizer", audio_pool=2)


@pytest.fixture(scope="module")
def states():
    return load_states(SHARED, str(WHISPER))


def test_a_network_learns_whose_states_it_reads_and_how_wide_they_are(states):
    stored = json.loads(with_source(SHARED, states).audio_architecture)
    assert stored["width"] == 64
    assert stored["sha256"] == WhisperRecognizer(WHISPER).states_source().sha256
    assert str(WHISPER) not in json.dumps(stored)  # no path of this machine
    assert with_source(TINY, None) == TINY


def test_kept_frames_are_what_the_recognizer_makes_of_the_clip(states, tmp_path):
    clip = Clip(tmp_path / "a.wav")
    write_tone(clip.path, 300.0, seconds=0.5)
    model = Turbo(with_source(SHARED, states))
    front = front_digest(model.audio_front)
    kept = FeatureStore(tmp_path / "kept", front, AugmentConfig(), Surroundings(), states=states)
    kept.fill(model, [(clip, AS_RECORDED)])
    served = WhisperRecognizer(WHISPER).encode(read_clip(clip.path))
    pairs = np.pad(served, ((0, 1), (0, 0)))[: 2 * 13].reshape(13, 2, 64)
    counts = np.array([2] * 12 + [1])[:, None]
    wanted = pairs.sum(axis=1) / counts
    assert np.abs(kept.load(clip, AS_RECORDED) - wanted).max() < 0.01  # float16


def test_another_recognizer_than_that_of_training_is_refused(states):
    config = with_source(SHARED, states)
    states.check(config)
    other = RecognizerStates(WhisperRecognizer(WHISPER, window=WindowConfig(floor_s=2.0)))
    with pytest.raises(InputError, match="another window_floor_s: give the same folder"):
        other.check(config)


def test_a_run_that_does_not_say_whose_states_it_reads_is_refused(tmp_path):
    recipe = build_recipe(
        "classify", ["model.audio=recognizer", f"out={tmp_path}", "model.labels=a,b"]
    )
    with pytest.raises(InputError, match=r"give data\.recognizer=DIR"):
        prepare(recipe)
    assert load_states(TINY, "") is None
