"""Command line: `python -m tools.export.general_speech PACKAGE data.manifest=FILE ...`.

Writes into a package how other people's speech looks to its network: where a learned head changes
nothing (`turbo_stream.learning`). Any training recordings that may ship serve, and lines of text.
"""

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tools.export.package import sha256
from training.data.augment import augment
from training.data.clip import read_wave
from training.data.row import Row
from training.fitting.checkpoint import write_json
from training.fitting.recipe import RECIPES, Recipe, build_recipe
from training.fitting.workbench import load_rows, surroundings, with_labels
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import InputError
from turbo_stream.learning.general_speech import GENERAL_SPEECH_NAME
from turbo_stream.learning.vectors import Vectors
from turbo_stream.recognition.recognizer import NOT_HEARD, Confidence, Transcript

_MOST_OF_A_COLLECTION = 150
_LINES = 2000
_FULL_SCALE = 32_767


def chosen(rows: Sequence[Row], *, seed: int) -> tuple[list[Row], list[Row]]:
    """Return the recordings and the lines of text to look at, those of a collection in turn."""
    draw = random.Random(seed)
    shippable = [row for row in rows if row.shippable]
    draw.shuffle(shippable)
    by_kind: dict[tuple[str, int], list[Row]] = {}
    for row in shippable:
        if row.audio is not None:
            by_kind.setdefault((row.collection, row.label), []).append(row)
    kinds = [by_kind[kind][:_MOST_OF_A_COLLECTION] for kind in sorted(by_kind)]
    turns = range(_MOST_OF_A_COLLECTION)
    recordings = [kind[turn] for turn in turns for kind in kinds if turn < len(kind)]
    lines = [row for row in shippable if row.audio is None and row.text]
    return recordings, lines[:_LINES]


def vectors_of(
    recordings: Sequence[Row], lines: Sequence[Row], classifier: TurboClassifier, recipe: Recipe
) -> tuple[list[Vectors], NDArray[np.float64]]:
    """Return the vectors of `recordings`, each through a random channel, and those of the text.

    The second, `[N, D]`, are of all words: those heard in the recordings and those of `lines`.
    """
    around = surroundings(recipe)
    found = []
    for number, row in enumerate(recordings):
        wave = augment(read_wave(row.clip), number, recipe.augment, around)
        pcm = np.round(wave * _FULL_SCALE).astype(np.int16)
        found.append(_vectors(classifier, pcm, _transcript(row)))
    nothing = np.zeros(0, np.int16)
    read = [_vectors(classifier, nothing, Transcript(row.text or "")) for row in lines]
    return found, np.array([one.text for one in [*found, *read] if one.has_text], np.float64)


def _transcript(row: Row) -> Transcript:
    text, (logprob, no_speech, ratio, missing) = row.words("auto")
    if not text and missing:
        return NOT_HEARD
    return Transcript(text, None if missing else Confidence(logprob, no_speech, ratio))


def _vectors(classifier: TurboClassifier, pcm: NDArray[np.int16], heard: Transcript) -> Vectors:
    vectors = classifier.classify(pcm, heard).vectors
    if vectors is None:
        raise InputError(f"the network of {classifier.name} gives no vectors to learn from")
    return vectors


def add_general_speech(
    folder: Path, found: Sequence[Vectors], texts: NDArray[np.float64], *, points: int
) -> None:
    """Write the first `points` of `found` that have words, and the means, into a package."""
    sounds = np.array([one.audio for one in found], np.float64)
    audio_mean, text_mean = sounds.mean(axis=0), texts.mean(axis=0)
    kept = [one for one in found if one.has_text][:points]
    arrays = {
        "audio": _unit(np.array([one.audio for one in kept], np.float64) - audio_mean),
        "text": _unit(np.array([one.text for one in kept], np.float64) - text_mean),
        "audio_mean": audio_mean,
        "text_mean": text_mean,
    }
    path = folder / GENERAL_SPEECH_NAME
    np.savez_compressed(path, **{key: value.astype(np.float16) for key, value in arrays.items()})
    manifest = json.loads((folder / "turbo.json").read_text("utf-8"))
    manifest["files"][GENERAL_SPEECH_NAME] = sha256(path)
    write_json(folder / "turbo.json", manifest)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9))


@click.command("tools.export.general_speech")
@click.argument("package", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("assignments", nargs=-1, metavar="key=value...")
@click.option("--recipe", type=click.Choice(sorted(RECIPES)), default="rej", show_default=True)
@click.option("--points", type=click.IntRange(1, 4096), default=256, show_default=True)
def main(package: Path, assignments: tuple[str, ...], recipe: str, points: int) -> None:
    """Add general speech to PACKAGE, of the training data that the assignments name."""
    settings = with_labels(build_recipe(recipe, [*assignments, f"out={package}"]))
    recordings, lines = chosen(load_rows(settings), seed=settings.seed)
    if not recordings:
        raise InputError("the manifests have no recording that may ship; give data.manifest=FILE")
    classifier = TurboClassifier(ModelPackage.load(package))
    found, texts = vectors_of(recordings, lines, classifier, settings)
    add_general_speech(package, found, texts, points=points)
    click.echo(f"{package / GENERAL_SPEECH_NAME}: {len(found)} recordings, {len(lines)} lines read")


if __name__ == "__main__":
    sys.exit(run_command(main))
