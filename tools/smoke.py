"""Everything once, in little: `python -m tools.smoke [--out DIR]`, under two minutes on a CPU.

Makes sound and words of three classes and a tiny network of random weights; overfits one batch,
trains, is killed and goes on to the same weights, exports, and classifies with what came out.
Nothing is downloaded and no pretrained weights are needed.
"""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.config import TurboConfig
from models.turbo import Turbo
from training.data.batch import Batch, Example, collate
from training.fitting.checkpoint import LAST, WEIGHTS, save_setup, save_weights
from training.fitting.recipe import Recipe, build_recipe
from training.fitting.runs import train_run
from training.fitting.trainer import fit
from training.fitting.workbench import prepare
from training.folds.split import split_rows
from training.objective.objective import Targets, ViewsModel, objective_terms
from turbo_stream import Transcript, TurboStreamError
from turbo_stream._util.files import write_text
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import read_manifest

CLASSES = {"low": (250.0, "hum deep drone"), "middle": (700.0, "ring bell call")}
CLASSES["high"] = (1800.0, "whistle chirp beep")
"""Pitch in hertz, and the words that go with it."""

_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_KILL_PATIENCE_S = 90.0


class SmokeError(TurboStreamError):
    """Something did not come out as it must."""


def write_corpus(folder: Path) -> Path:
    """Write six speakers of three classes and a manifest; one speaker tests."""
    rng = np.random.default_rng(0)
    rows = []
    for speaker, (label, (pitch_hz, words)) in itertools.product(range(6), CLASSES.items()):
        for take in range(4):
            name = f"{speaker}_{label}_{take}.wav"
            time_s = np.arange(int(16_000 * rng.uniform(0.3, 0.6))) / 16_000
            pitch = pitch_hz * rng.uniform(0.9, 1.1)
            wave = 0.2 * np.sin(2 * np.pi * pitch * time_s) + rng.normal(0, 0.03, len(time_s))
            soundfile.write(folder / name, wave, 16_000)
            text = " ".join(rng.permutation(words.split())[:2])
            row = {"audio_filepath": name, "label": label, "text": text, "speaker": f"s{speaker}"}
            rows.append(
                {**row, "fold": "test" if speaker == 5 else "dev" if speaker == 4 else None}
            )
    lines = [{key: value for key, value in row.items() if value is not None} for row in rows]
    manifest = folder / "manifest.jsonl"
    write_text(manifest, "".join(json.dumps(line) + "\n" for line in lines))
    return manifest


def write_start(folder: Path) -> None:
    """Write a network of random weights and a tokenizer of the corpus' words."""
    words = [*_WORDS, *(word for _, words in CLASSES.values() for word in words.split())]
    table = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(table, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    torch.manual_seed(0)
    config = TurboConfig(
        labels=tuple(CLASSES),
        hidden=48,
        encoder_width=48,
        heads=2,
        text_heads=4,
        feed_forward=96,
        audio_lower_layers=1,
        audio_upper_layers=1,
        text_layers=1,
        vocabulary_size=len(words),
        fusion_hidden=32,
        projection=16,
    )
    save_setup(folder, Recipe(model=config), tokenizer)
    save_weights(folder, Turbo(config))


def overfit(recipe: Recipe) -> float:
    """Train on one batch; return the cross-entropy that is left of it, without dropout.

    Raises:
        SmokeError: something is left.
    """
    bench = prepare(recipe)
    split = split_rows(bench.rows, recipe.data, 0, bench.recipe.model.labels)
    bench.fill(split)
    model = bench.fresh_model(bench.recipe)
    width = model.audio_front.width

    def padded(examples: Sequence[Example]) -> Batch:
        return collate(
            examples,
            bench.tokenizer,
            width,
            bench.device,
            bench.text_states,
            max_tokens=bench.recipe.model.max_tokens,
        )

    batch = next(bench.sampler(bench.recipe, split, seed=0).batches(padded))
    plain = replace(recipe.objective, views=1, in_modal=0.0, cross_modal=0.0)

    @torch.inference_mode()
    def look() -> dict[str, float]:
        views = ViewsModel(model, plain).eval()(batch)
        return {"dev": objective_terms(views, Targets.of(batch), plain)["ce"].item()}

    train = replace(recipe.train, steps=120, evaluate_every=120)
    history = fit(
        model, recipe.objective, itertools.repeat(batch), look, train, folder=None, quiet=True
    )
    if history.best > 0.1:
        raise SmokeError(f"one batch was not overfitted: cross-entropy {history.best:.3f} is left")
    return history.best


def _killed_run(assignments: list[str], out: Path) -> int:
    """Start a run in a process of its own, kill it after a checkpoint; return the step of that."""
    command = [sys.executable, "-m", "training.train", "classify", *assignments, f"out={out}"]
    child = subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = time.monotonic()
    while not (out / LAST).exists():
        if child.poll() is not None or time.monotonic() - started > _KILL_PATIENCE_S:
            child.kill()
            raise SmokeError(f"the run to be killed wrote no checkpoint: {child.communicate()[1]}")
        time.sleep(0.005)
    child.kill()
    child.communicate()
    return torch.load(out / LAST, weights_only=True)["history"]["steps"]


def resumed(assignments: list[str], whole: Path, out: Path) -> int:
    """Kill a run and let it go on; return the step it went on from.

    Raises:
        SmokeError: it does not end with the weights of the run in `whole`.
    """
    step = _killed_run(assignments, out)
    train_run(build_recipe("classify", [*assignments, f"out={out}"]))
    if (whole / WEIGHTS).read_bytes() != (out / WEIGHTS).read_bytes():
        raise SmokeError(f"a run killed at step {step} went on to other weights than a whole one")
    return step


def classified(package: Path, manifest: Path) -> float:
    """Return the share of the test speaker's clips that the exported package gets right."""
    from tools.export.__main__ import main as export

    if run_command(export, [str(package.parent / "whole"), "--out", str(package)]) != 0:
        raise SmokeError("the export failed")
    classifier = TurboClassifier(ModelPackage.load(package))
    items = [item for item in read_manifest(manifest) if item.row.get("fold") == "test"]
    right = 0
    for item in items:
        row, pcm = item.row, read_clip(item.path, item.offset_s, item.duration_s)
        probability = classifier.probabilities(pcm, Transcript(row["text"]))
        right += max(probability, key=lambda label: probability[label]) == row["label"]
    return right / len(items)


def run_smoke(folder: Path) -> dict[str, Any]:
    """Run everything in `folder`; return what was seen.

    Raises:
        SmokeError: something did not come out as it must.
    """
    started = time.monotonic()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    manifest = write_corpus(corpus)
    write_start(folder / "start")
    settings = {
        "device": "cpu",
        "init": folder / "start",
        "data.manifest": manifest,
        "data.features": folder / "features",
        "train.steps": 120,
        "train.batch": 16,
        "train.warmup": 5,
        "train.evaluate_every": 20,
        "train.checkpoint_every": 10,
        "train.learning_rate": 1e-3,
        "train.audio_rate": 1e-3,
        "train.head_rate": 3e-3,
    }
    assignments = [f"{key}={value}" for key, value in settings.items()]
    seen: dict[str, Any] = {
        "overfitted_to": overfit(build_recipe("classify", [*assignments, f"out={folder}"]))
    }
    whole = train_run(build_recipe("classify", [*assignments, f"out={folder / 'whole'}"]))
    seen["test_accuracy"] = whole["test"]["fused"]["accuracy"]
    seen["resumed_from_step"] = resumed(assignments, folder / "whole", folder / "killed")
    seen["package_accuracy"] = classified(folder / "package", manifest)
    seen["seconds"] = round(time.monotonic() - started, 1)
    for name in ("test_accuracy", "package_accuracy"):
        if seen[name] < 0.9:
            raise SmokeError(f"{name} is {seen[name]:.2f} where a tone's pitch tells the class")
    return seen


@click.command("tools.smoke")
@click.option("--out", type=click.Path(path_type=Path), help="New folder to leave everything in.")
def main(out: Path | None) -> None:
    """Try the whole way from data to package on a tiny example, and say what was seen."""
    if out is not None and out.exists():
        raise click.BadParameter(f"--out {out} exists already; give a new folder")
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(run_smoke(out or Path(scratch, "smoke"))))


if __name__ == "__main__":
    sys.exit(run_command(main))
