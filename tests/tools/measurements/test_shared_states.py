"""From training to listening with a network that reads the recognizer's encoder states."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")
pytest.importorskip("faster_whisper")

from models.turbo import Turbo
from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_corpus import WORDS, write_classes, write_start
from tests.support.tiny_network import TINY
from tools.export.__main__ import main as export
from tools.export.graph_weights import read_weights
from tools.export.onnx_graph import export_fp32
from tools.export.parity.item import Item
from tools.export.parity.logits import graph_logits, network_logits
from tools.measurements.shared_states.__main__ import main as measure
from tools.measurements.shared_states.encoders import (
    TransformersEncoder,
    difference,
    float_encoder,
    float_states,
)
from training.data.recognizer_states import load_states, with_source
from training.fitting.checkpoint import load_model
from training.fitting.recipe import build_recipe
from training.fitting.runs import train_run
from turbo_stream.cli.command import run_command
from turbo_stream.cli.evaluate import evaluate
from turbo_stream.cli.listen import listen
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.whisper import WhisperRecognizer

pytestmark = pytest.mark.slow

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(WHISPER)


@pytest.fixture(scope="module")
def kitchen() -> np.ndarray:
    return read_clip(KITCHEN)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run of a few steps on tones, from a network of random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("shared")
    labels = ["directed", "not_directed"]
    manifest = write_classes(folder, labels, speakers=4, each=2)
    config = replace(TINY, audio="recognizer", audio_pool=2, hidden=16, body_heads=2)
    config = replace(config, vocabulary_size=4 + len(WORDS))
    config = with_source(config, load_states(config, str(WHISPER)))
    start = write_start(folder / "start", Turbo(config))
    recipe = build_recipe(
        "rej",
        [
            f"out={folder / 'run'}",
            f"init={start}",
            "device=cpu",
            f"data.manifest={manifest}",
            f"data.recognizer={WHISPER}",
            "data.dev_share=0.3",
            "data.variants=1",
            "train.steps=6",
            "train.batch=8",
            "train.evaluate_every=6",
            "train.checkpoint_every=0",
        ],
    )
    train_run(recipe)
    return folder / "run"


@pytest.fixture(scope="module")
def package(run) -> Path:
    """Its package, and beside it the float graph `model.onnx`, which exporting made on the way."""
    manifest = run.parent / "manifest.jsonl"
    arguments = [str(run), "--out", str(run.parent / "package"), "--manifest", str(manifest)]

    def kept(model: Turbo, path: Path) -> None:
        export_fp32(model, path)
        shutil.copyfile(path, run.parent / "model.onnx")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.export.__main__.export_fp32", kept)
        named = [*arguments, "--name", "shared", "--quantization", "dynamic"]
        assert run_command(export, named) == 0
    return run.parent / "package"


def test_the_package_is_bound_to_the_recognizer_it_was_trained_on(package, recognizer):
    loaded = ModelPackage.load(package)
    assert loaded.audio_input.width == 64
    assert loaded.audio_input.source == recognizer.states_source()
    loaded.check_recognizer(recognizer)
    card = (package / "README.md").read_text("utf-8")
    assert "the encoder states of whisper:whisper-kitchen" in card
    assert str(ROOT) not in (package / "turbo.json").read_text() + card
    parity = loaded.metrics["parity"]
    assert parity["on"] == "recordings"
    assert parity["pytorch_fp32_max_logit_difference"] < 1e-4


def test_pytorch_and_onnx_agree_on_states_of_real_speech(run, package, recognizer, kitchen):
    model, _ = load_model(run)
    items = []
    for seconds in (0.02, 0.5, 1.7, 4.0):
        states = recognizer.encode(kitchen[16_000 : 16_000 + int(seconds * 16_000)])
        items.append(Item(np.array(states), [2, 5, 6, 3], [1, 1, 1, 1], (-0.3, 0.0, 1.0, 0.0)))
    found = network_logits(model, items) - graph_logits(package.parent / "model.onnx", items)
    assert np.abs(found).max() < 1e-4


def test_weights_can_be_taken_out_of_the_package_again(run, package):
    model, _ = load_model(run)
    again = read_weights(package / "model.int8.onnx")
    assert again.config == model.config
    tower = again.audio_tower.state_dict()
    for name, value in model.audio_tower.state_dict().items():
        assert torch.allclose(tower[name], value, atol=0.02), name


def test_listening_with_it(package, capsys):
    arguments = [str(KITCHEN), "--model", str(package), "--jsonl", "--asr", str(WHISPER)]
    assert run_command(listen, arguments) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    utterances = [event for event in events if event["event"] == "utterance"]
    assert len(utterances) > 10
    assert {event["decision"] for event in utterances} <= {"accepted", "rejected"}
    probabilities = {event["directed_probability"] for event in utterances}
    assert len(probabilities) > 5


@pytest.mark.parametrize("asr", ["none", "pocketsphinx"])
def test_listening_with_another_recognizer_is_refused_in_a_line(package, capsys, asr):
    arguments = [str(KITCHEN), "--model", str(package), "--asr", asr]
    assert run_command(listen, arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "shared reads the encoder states of whisper:whisper-kitchen" in said


def test_evaluating_it(package, tmp_path, capsys):
    arguments = [str(package.parent / "manifest.jsonl"), "--model", str(package)]
    assert run_command(evaluate, [*arguments, "--out", str(tmp_path), "--asr", str(WHISPER)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["n"] == 16 and metrics["failed"] == []
    gold = [*arguments, "--out", str(tmp_path / "gold"), "--text", "gold"]
    assert run_command(evaluate, gold) == 2
    assert "give that Whisper as --asr" in capsys.readouterr().err


def test_ctranslate2_gives_the_states_of_transformers(recognizer, kitchen):
    """Float to float to the last bits; INT8 within the rounding of its activations."""
    reader = recognizer.reader
    pcm = kitchen[16_000 : 4 * 16_000]
    features = reader.features(pcm, reader.longest)
    positions = len(pcm) // 320
    served = np.asarray(reader.encode(features))[0, :positions]
    floats = float_states(float_encoder(WHISPER), features)[:positions]
    public = TransformersEncoder(WHISPER)(features)[:positions]
    assert difference(floats, public)["relative_error"] < 1e-4
    rounded = difference(served, public)
    assert rounded["mean_cosine"] > 0.99
    assert 0 < rounded["relative_error"] < 0.1


def test_what_it_costs_can_be_measured(package, capsys):
    arguments = [str(WHISPER), "--package", str(package), "--against", str(package)]
    assert run_command(measure, [*arguments, "--count", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert all(found["same_memory"] for found in report["to_numpy_ms"].values())
    assert set(report["turbo_cpu_ms"]) == {"1s", "3s", "8s"}
    assert report["states"]["float32_to_transformers"]["relative_error"] < 1e-4


def test_what_hears_the_sound_itself_is_not_measured_in_its_place(run, tmp_path, capsys):
    arguments = [str(run), "--out", str(tmp_path / "p"), "--parity", str(tmp_path / "parity")]
    assert run_command(export, arguments) == 2
    assert "leave --parity out" in capsys.readouterr().err
