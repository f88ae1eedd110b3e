"""The page on training with own recordings: its commands, as they stand there, in miniature."""

import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.paths import ROOT

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from tokenizers import Tokenizer

from models.turbo import Turbo
from tests.support.paths import KITCHEN
from tests.support.tiny_network import TINY
from tools.export.__main__ import main as export
from training.fitting.checkpoint import save_setup, save_weights, write_json
from training.fitting.recipe import Recipe
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import ModelPackage

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "guide" / "train-your-own.md"
WORDS = ["turn", "on", "the", "light", "stop", "well", "he", "was", "late", "and"]
POINT = {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}

GOLD = ["--text", "gold"]
LISTEN = [str(KITCHEN), "--jsonl", "--asr", "none"]


def commands(section: str) -> list[list[str]]:
    """The commands of the code blocks under a heading of the page, as arguments."""
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def run(arguments: list[str], extra: dict[str, list[str]]) -> int:
    """Run a command of the page in this process, with what makes it small."""
    if arguments[0] == "python":
        name, given = arguments[2], arguments[3:]
        found = import_module(name)
        command = (
            import_module(f"{name}.__main__").main if hasattr(found, "__path__") else found.main
        )
    else:
        name, given = arguments[0], arguments[1:]
        module = {"turbo-eval": "evaluate", "turbo-listen": "listen", "turbo-tune": "tune"}[name]
        command = getattr(import_module(f"turbo_stream.cli.{module}"), module)
    if "--compare" not in given:
        given = [*given, *extra.get(name, ())]
    return run_command(command, given)


def write_recordings(folder: Path) -> None:
    """Six speakers who call in a high voice and talk in a low one."""
    rng = np.random.default_rng(0)
    for index, label in enumerate(("directed", "not_directed")):
        for number in range(24):
            time_s = np.arange(8_000) / 16_000
            pitch_hz = (700, 250)[index] * rng.uniform(0.95, 1.05)
            wave = 0.2 * np.sin(2 * np.pi * pitch_hz * time_s) + rng.normal(0, 0.03, len(time_s))
            path = folder / label / f"s{number % 6}_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, wave, 16_000)
            words = (WORDS[:5], WORDS[5:])[index]
            path.with_suffix(".txt").write_text(" ".join(rng.permutation(words)[:3]))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Path:
    """A package in the place of the one that ships."""
    from tests.support.tiny_package import tiny_tokenizer

    folder = tmp_path_factory.mktemp("shipped")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *(f"w{i}" for i in range(46))]
    torch.manual_seed(0)
    save_setup(folder / "run", Recipe(model=TINY), Tokenizer.from_str(tiny_tokenizer(words)))
    save_weights(folder / "run", Turbo(TINY))
    figures = {"n": 2, "accuracy": 0.9, "balanced_accuracy": 0.8, "macro_f1": 0.7, "eer": 0.1}
    metrics = {
        "calibration": {"method": "affine", "scale": 1.0, "bias": [0.0, 0.0]},
        "development": dict.fromkeys(("fused", "audio", "text"), figures),
        "operating_points": dict.fromkeys(("balanced", "fa1", "fr1"), POINT),
        "data": [],
    }
    write_json(folder / "run" / "metrics.json", metrics)
    named = ["--name", "turbo-rej-en", "--package-version", "0.3.0", "--license", "CC-BY-SA-4.0"]
    arguments = [str(folder / "run"), "--out", str(folder / "package"), *named]
    assert run_command(export, arguments) == 0
    return folder / "package"


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    """A checkout's folder as far as the page is concerned."""
    write_recordings(tmp_path / "my-recordings")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_training_on_own_recordings(shipped, workplace, capsys):
    model = ["--model", str(shipped)]
    small = {
        "tools.export.unpack": [str(shipped)],
        "training.train": [
            "device=cpu",
            "data.variants=1",
            "train.steps=40",
            "train.batch=16",
            "train.learning_rate=1e-3",
            "train.audio_rate=1e-3",
            "train.head_rate=3e-3",
        ],
        "turbo-listen": LISTEN,
    }
    for command in commands("Train"):
        own = "--model" in command
        extra = small | {"turbo-eval": GOLD + ([] if own else model)}
        assert run(command, extra) == 0, (command, capsys.readouterr().err)

    package = ModelPackage.load(workplace / "my-package")
    bases = package.training["base_models"]
    assert bases[0] == {"name": "turbo-rej-en 0.3.0", "license": "CC-BY-SA-4.0"}
    assert package.training["license"] == "CC-BY-SA-4.0"
    card = (workplace / "my-package" / "README.md").read_text("utf-8")
    assert "turbo-rej-en 0.3.0 (CC-BY-SA-4.0)" in card and "own | recorded" in card
    assert "WUW" not in card and "held-out speakers" not in card  # those figures are ours
    after = json.loads((workplace / "RUNS" / "after" / "metrics.json").read_text())
    assert after["eer"] == 0.0  # a tone of two pitches
    assert 0.1 < after["at_threshold"]["threshold"] < 0.9
    assert (workplace / "RUNS" / "compared" / "compare.html").is_file()
    finished = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert finished["event"] == "finished" and finished["utterances"] > 3


def test_only_a_threshold_of_ones_own(shipped, workplace, capsys):
    model, small = ["--model", str(shipped)], {"turbo-listen": LISTEN}
    for command in commands("Only a threshold"):
        own = "--model" in command
        assert run(command, small | {"turbo-eval": GOLD + ([] if own else model)}) == 0, (
            command,
            capsys.readouterr().err,
        )
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    ready = json.loads(lines[0])
    tuned = ModelPackage.load(workplace / "my-package").operating_points["tuned-fa0.02"]
    assert ready["event"] == "ready" and ready["threshold"] == tuned.threshold
