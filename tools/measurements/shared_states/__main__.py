"""What it takes to hand the recognizer's encoder states to Turbo, and how exact they are.

python -m tools.measurements.shared_states WHISPER [--package DIR]
"""

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tools.measurements.shared_states.encoders import (
    TransformersEncoder,
    cpu_ms,
    difference,
    float_encoder,
    float_states,
)
from turbo_stream import Confidence, InputError, Transcript
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.whisper import WhisperRecognizer

COPIED_S = (3.0, 10.0)
"""Lengths whose states are brought to numpy."""

JUDGED_S = (1.0, 3.0, 8.0)
"""Lengths on which Turbo's own step is timed."""

_KITCHEN = Path(__file__).parents[3] / "examples" / "kitchen.flac"
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def handing_over(recognizer: WhisperRecognizer, pcm: NDArray[np.int16]) -> dict[str, Any]:
    """Return the time from CTranslate2 to numpy, ms, and whether anything is copied."""
    reader = recognizer.reader
    found: dict[str, Any] = {}
    for seconds in COPIED_S:
        window = min(to_samples(seconds), reader.longest)
        raw = reader.encode(reader.features(pcm[:window], window))
        steps = {"view": lambda raw=raw: np.asarray(raw), "copy": lambda raw=raw: np.array(raw)}
        seen = np.asarray(raw)
        pointer = raw.__array_interface__["data"][0]
        found[f"{window / SAMPLE_RATE:g}s"] = {
            "shape": list(seen.shape),
            **cpu_ms(steps, repeats=200),
            "same_memory": bool(seen.__array_interface__["data"][0] == pointer),
        }
    return found


def exactness(
    recognizer: WhisperRecognizer, folder: Path, pcm: NDArray[np.int16], count: int
) -> dict[str, Any]:
    """Return how far the states as served are from those of float32 and of transformers."""
    reader = recognizer.reader
    exact, public = float_encoder(folder), TransformersEncoder(folder)
    length = 3 * SAMPLE_RATE
    window = recognizer.window.samples(length, reader.longest)
    rows: dict[str, list[dict[str, float]]] = {}
    for index in range(count):
        start = index * (len(pcm) - length) // max(1, count - 1)
        features = reader.features(pcm[start : start + length], window)
        positions = length // 320
        served = np.asarray(reader.encode(features))[0, :positions]
        floats = float_states(exact, features)[:positions]
        theirs = public(features)[:positions]
        for name, pair in {
            "int8_to_float32": (served, floats),
            "float32_to_transformers": (floats, theirs),
            "int8_to_transformers": (served, theirs),
        }.items():
            rows.setdefault(name, []).append(difference(*pair))
    return {
        name: {
            "relative_error": float(np.mean([one["relative_error"] for one in found])),
            "mean_cosine": float(np.mean([one["mean_cosine"] for one in found])),
            "lowest_cosine": min(one["lowest_cosine"] for one in found),
        }
        for name, found in rows.items()
    }


def turbo_steps(
    packages: dict[str, Path], recognizer: WhisperRecognizer, pcm: NDArray[np.int16]
) -> dict[str, Any]:
    """Return the CPU time of each package's step, ms, beside that of encoding and transcribing."""
    loaded = {name: ModelPackage.load(folder) for name, folder in packages.items()}
    for package in loaded.values():
        package.check_recognizer(recognizer)
    classifiers = {name: TurboClassifier(package) for name, package in loaded.items()}
    found = {}
    for seconds in JUDGED_S:
        heard = pcm[: to_samples(seconds)]
        transcript = Transcript(
            "turn on the kitchen lights", Confidence(-0.3), states=recognizer.encode(heard)
        )
        steps: dict[str, Any] = {
            name: lambda one=one, heard=heard, said=transcript: one.probabilities(heard, said)
            for name, one in classifiers.items()
        }
        steps["encode"] = lambda heard=heard: recognizer.encode(heard)
        steps["transcribe"] = lambda heard=heard: recognizer.transcribe(heard)
        found[f"{seconds:g}s"] = cpu_ms(steps)
    return found


def _shown(report: dict[str, Any]) -> Table:
    table = Table("what", "value", title="Encoder states shared")

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix} {key}".strip(), inner)
        else:
            table.add_row(prefix, f"{value:.5g}" if isinstance(value, float) else str(value))

    walk("", report)
    return table


@click.command("tools.measurements.shared_states")
@click.argument("whisper", type=_FOLDER)
@click.option("--package", type=_FOLDER, help="A package that reads the states of WHISPER.")
@click.option("--against", type=_FOLDER, help="One that hears itself.  [default: the shipped]")
@click.option(
    "--sound",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=_KITCHEN,
    help="Recording of 10 s or more.  [default: examples/kitchen.flac]",
)
@click.option("--count", type=click.IntRange(1), default=10, show_default=True, help="Excerpts.")
def main(
    whisper: Path, package: Path | None, against: Path | None, sound: Path, count: int
) -> None:
    """Measure what the encoder states of the CTranslate2 Whisper in WHISPER are worth to Turbo."""
    pcm = read_clip(sound)
    if len(pcm) < to_samples(max(COPIED_S)):
        raise InputError(f"{sound} is shorter than {max(COPIED_S):g} s; give a longer recording")
    recognizer = WhisperRecognizer(whisper)
    report: dict[str, Any] = {
        "to_numpy_ms": handing_over(recognizer, pcm),
        "states": exactness(recognizer, whisper, pcm, count),
    }
    if package is not None:
        own = against or ModelPackage.load().folder
        report["turbo_cpu_ms"] = turbo_steps({"shared": package, "own": own}, recognizer, pcm)
    Console(stderr=True).print(_shown(report))
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(run_command(main))
