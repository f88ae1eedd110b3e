"""What Whisper's English translation is worth to Turbo in other languages, beside sound alone.

python -m tools.measurements.languages MANIFEST... --asr DIR --out FILE

A row has `label`, `lang` and optionally `group`, as those of `languages.speak` have. Every clip is
heard once and scored in each way; FILE keeps a line for each, and one that is there is not heard
again. Prints a table on stderr and JSON on stdout.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.data.lines import read_lines
from turbo_stream._util.timebase import to_seconds
from turbo_stream._util.unicode_text import json_text
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import DIRECTED, ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.evaluation.figures.bootstrap import WeightedBinary, bootstrap, intervals
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer

WAYS = ("length", "has words", "sound", "as heard", "translation")
"""The first two know nothing of content: they show what the set itself gives away."""

FIGURES = ("eer", "auc", "false_accept", "false_reject")


def scores(
    classifier: TurboClassifier, pcm: NDArray[np.int16], heard: Transcript
) -> dict[str, float]:
    """Return the score of `pcm`, `[N]`, in each way; `heard` without words is never accepted."""
    told = {"sound": NOT_HEARD, "as heard": replace(heard, language=None), "translation": heard}
    found = {
        way: 0.0 if heard.no_words else classifier.probabilities(pcm, one)[DIRECTED]
        for way, one in told.items()
    }
    found["sound"] = classifier.probabilities(pcm, NOT_HEARD)[DIRECTED]
    return {"length": to_seconds(len(pcm)), "has words": float(not heard.no_words), **found}


def hear(item: Item, asr: Path, classifier: TurboClassifier, loaded: dict) -> dict[str, Any]:
    """Return the line of one clip, heard in its own language; recognizers are kept in `loaded`."""
    language = str(item.row["lang"])
    if language not in loaded:
        loaded[language] = WhisperRecognizer(asr, language=language, translate=True)
    pcm = read_clip(item.path, item.offset_s, item.duration_s)
    started = time.process_time()
    heard = checked(loaded[language].transcribe(pcm))
    return {
        "audio_filepath": str(item.path),
        "lang": language,
        "label": item.row["label"],
        "group": str(item.row.get("group") or item.path),
        "cpu_ms": (time.process_time() - started) * 1000,
        "heard": heard.text,
        "english": None if heard.translation is None else heard.translation.text,
        "scores": scores(classifier, pcm, heard),
    }


def hear_all(
    items: Sequence[Item], asr: Path, classifier: TurboClassifier, out: Path
) -> list[dict[str, Any]]:
    """Return the line of every clip, those that `out` does not have yet heard now."""
    known = {row["audio_filepath"]: row for row in read_lines(out)} if out.is_file() else {}
    missing = [item for item in items if str(item.path) not in known]
    loaded: dict[str, WhisperRecognizer] = {}
    with out.open("a", encoding="utf-8") as file:
        for item in track(missing, console=Console(stderr=True), transient=True):
            row = hear(item, asr, classifier, loaded)
            file.write(json_text(row) + "\n")
            file.flush()
            known[str(item.path)] = row
    return [known[str(item.path)] for item in items]


def figures(rows: Sequence[dict[str, Any]], threshold: float) -> Iterator[dict[str, Any]]:
    """Yield for every language and way its figures, each with its interval over `group`s."""
    for language in dict.fromkeys(row["lang"] for row in rows):
        mine = [row for row in rows if row["lang"] == language]
        truths = np.array([row["label"] == DIRECTED for row in mine])
        _, groups = np.unique([row["group"] for row in mine], return_inverse=True)
        for way in WAYS:
            values = np.array([row["scores"][way] for row in mine], np.float64)
            if way == "length":
                # A set gives itself away by longer commands as by shorter ones.
                values /= values.max()
                if values[truths].mean() < values[~truths].mean():
                    values = 1 - values
            binary = WeightedBinary(truths, values, threshold)
            wanted = FIGURES[:2] if way == "length" else FIGURES
            whole = binary.figures(np.ones((1, len(mine))))
            around = intervals(groups, bootstrap(groups, binary.figures))
            yield {
                "language": language,
                "way": way,
                "n": [int(truths.sum()), int((~truths).sum())],
                **{name: [float(whole[name][0]), around[name]] for name in wanted},
            }


def show(found: Sequence[dict[str, Any]]) -> None:
    """Print a row for each language and way."""
    table = Table("language", "way", "n", *FIGURES)
    for row in found:
        cells = [_cell(*row[name]) if name in row else "-" for name in FIGURES]
        table.add_row(row["language"], row["way"], "+".join(map(str, row["n"])), *cells)
    Console(stderr=True, width=140).print(table)


def _cell(value: float, around: list[float] | None) -> str:
    if around is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({around[0]:.3f} to {around[1]:.3f})"


@click.command("tools.measurements.languages")
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, type=click.Path(path_type=Path), help="Multilingual Whisper.")
@click.option("--model", type=click.Path(path_type=Path), help="Turbo package.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File of lines.")
def main(manifests: tuple[Path, ...], asr: Path, model: Path | None, out: Path) -> None:
    """Score the clips of MANIFESTS by sound alone, by what was heard, and by its translation."""
    package = ModelPackage.load(model)
    items = [item for path in manifests for item in read_manifest(path)]
    rows = hear_all(items, asr, TurboClassifier(package), out)
    found = list(figures(rows, package.threshold()))
    show(found)
    print(json.dumps({"model": package.name, "threshold": package.threshold(), "ways": found}))


if __name__ == "__main__":
    sys.exit(run_command(main))
