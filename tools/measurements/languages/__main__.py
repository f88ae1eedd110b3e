"""What Whisper's English translation is worth to Turbo in other languages, beside sound alone.

python -m tools.measurements.languages MANIFEST... --asr DIR --out FILE

A row has `label`, `lang` and optionally `group`, `text` and `english`, as those of
`languages.speak` have. Every clip is heard once and scored in each way; FILE keeps a line for each,
and one that is there is not heard again. Prints tables on stderr and JSON on stdout.
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
from turbo_stream.evaluation.figures.bootstrap import (
    WeightedBinary,
    bootstrap,
    draw_weights,
    interval,
    intervals,
)
from turbo_stream.evaluation.figures.word_errors import WordItems
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Confidence, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer

WAYS = ("length", "has words", "sound", "as heard", "translation", "true English")
"""The first two know nothing of content: they show what the set itself gives away. The last is for
clips with `english`: what was said, as if nothing had been misheard or mistranslated."""

_SURE = Confidence(-0.2, 0.01, 0.9)
"""Beside the true English: as of a text that Whisper is sure of."""

FIGURES = ("eer", "auc", "false_accept", "false_reject")


def scores(
    classifier: TurboClassifier, pcm: NDArray[np.int16], heard: Transcript, english: str | None
) -> dict[str, float]:
    """Return the score of `pcm`, `[N]`, in each way; `heard` without words is never accepted."""
    told = {"sound": NOT_HEARD, "as heard": replace(heard, language=None), "translation": heard}
    found = {
        way: 0.0 if heard.no_words else classifier.probabilities(pcm, one)[DIRECTED]
        for way, one in told.items()
    }
    found["sound"] = classifier.probabilities(pcm, NOT_HEARD)[DIRECTED]
    if english is not None:
        true = Transcript(english.rstrip("."), _SURE)
        found["true English"] = classifier.probabilities(pcm, true)[DIRECTED]
    return {"length": to_seconds(len(pcm)), "has words": float(not heard.no_words), **found}


class _Translator:
    """A Whisper of one language, and what it takes to translate, which is part of hearing."""

    def __init__(self, asr: Path, language: str) -> None:
        self._recognizer = WhisperRecognizer(asr, language=language, translate=True)
        self._translate = self._recognizer.reader.translate
        self._spent_s = 0.0
        # A method is no variable to mypy; nothing but its time is added.
        self._recognizer.reader.translate = self._timed  # type: ignore[assignment, method-assign]

    def hear(self, pcm: NDArray[np.int16]) -> tuple[Transcript, dict[str, float]]:
        """Return what is heard in `pcm`, `[N]`, and processor time in ms: all, and translating."""
        started, self._spent_s = time.process_time(), 0.0
        heard = checked(self._recognizer.transcribe(pcm))
        all_s = time.process_time() - started
        return heard, {"cpu_ms": 1000 * all_s, "translate_ms": 1000 * self._spent_s}

    def _timed(self, *arguments: Any) -> Any:
        started = time.process_time()
        found = self._translate(*arguments)
        self._spent_s += time.process_time() - started
        return found


def hear(item: Item, asr: Path, classifier: TurboClassifier, loaded: dict) -> dict[str, Any]:
    """Return the line of one clip, heard in its own language; recognizers are kept in `loaded`."""
    language = str(item.row["lang"])
    if language not in loaded:
        loaded[language] = _Translator(asr, language)
    pcm = read_clip(item.path, item.offset_s, item.duration_s)
    heard, spent_ms = loaded[language].hear(pcm)
    return {
        "audio_filepath": str(item.path),
        "lang": language,
        "label": item.row["label"],
        "group": str(item.row.get("group") or item.path),
        **spent_ms,
        "text": item.text,
        "heard": heard.text,
        "english": None if heard.translation is None else heard.translation.text,
        "scores": scores(classifier, pcm, heard, item.row.get("english")),
    }


def hear_all(
    items: Sequence[Item], asr: Path, classifier: TurboClassifier, out: Path
) -> list[dict[str, Any]]:
    """Return the line of every clip, those that `out` does not have yet heard now."""
    known = {row["audio_filepath"]: row for row in read_lines(out)} if out.is_file() else {}
    missing = [item for item in items if str(item.path) not in known]
    loaded: dict[str, _Translator] = {}
    with out.open("a", encoding="utf-8") as file:
        for item in track(missing, console=Console(stderr=True), transient=True):
            row = hear(item, asr, classifier, loaded)
            file.write(json_text(row) + "\n")
            file.flush()
            known[str(item.path)] = row
    return [known[str(item.path)] for item in items]


def figures(rows: Sequence[dict[str, Any]], threshold: float) -> Iterator[dict[str, Any]]:
    """Yield for every language and way its figures, each with its interval over `group`s."""
    for language, mine in _by_language(rows):
        truths, groups = _truths(mine), _groups(mine)
        for way in WAYS:
            if any(way not in row["scores"] for row in mine):
                continue
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


def comparisons(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield for every language what its ways differ by, on the same draws, and what it costs.

    `eer_gain`: EER by the sound alone less that by the translation, the middle of the bootstrap
    over `group`s and its interval. `words_wrong`: word error rate of what was heard, in Whisper's
    normal form; None without texts. `times_as_long`: median over the clips of the processor time
    with translating over that without.
    """
    for language, mine in _by_language(rows):
        truths, groups = _truths(mine), _groups(mine)

        def eer(
            weights: NDArray[np.float64],
            way: str,
            truths: NDArray[np.bool_] = truths,
            mine: Sequence[dict[str, Any]] = mine,
        ) -> NDArray[np.float64]:
            values = np.array([row["scores"][way] for row in mine], np.float64)
            return WeightedBinary(truths, values, None).figures(weights)["eer"]

        gains = np.concatenate(
            [eer(drawn, "sound") - eer(drawn, "translation") for drawn in draw_weights(groups)]
        )
        count = int(groups.max()) + 1
        yield {
            "language": language,
            "eer_gain": [float(np.nanmedian(gains)), interval(gains, groups=count)],
            "words_wrong": _words_wrong(mine, language),
            "times_as_long": _times_as_long(mine),
        }


def _words_wrong(rows: Sequence[dict[str, Any]], language: str) -> float | None:
    heard = [
        {
            "text": row.get("text"),
            "text_used": row["heard"],
            "directed_probability": row["scores"]["translation"],
        }
        for row in rows
    ]
    words = WordItems.from_rows(heard, {"language": language})
    return None if words is None else float(words.errors.sum() / words.words.sum())


def _times_as_long(rows: Sequence[dict[str, Any]]) -> float | None:
    translated = [row for row in rows if row.get("translate_ms")]
    ratios = [row["cpu_ms"] / (row["cpu_ms"] - row["translate_ms"]) for row in translated]
    return float(np.median(ratios)) if ratios else None


def _by_language(
    rows: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    for language in dict.fromkeys(row["lang"] for row in rows):
        yield language, [row for row in rows if row["lang"] == language]


def _truths(rows: Sequence[dict[str, Any]]) -> NDArray[np.bool_]:
    return np.array([row["label"] == DIRECTED for row in rows])


def _groups(rows: Sequence[dict[str, Any]]) -> NDArray[np.int64]:
    return np.unique([row["group"] for row in rows], return_inverse=True)[1]


def show(found: Sequence[dict[str, Any]], compared: Sequence[dict[str, Any]]) -> None:
    """Print a row for each language and way, and one for each language."""
    table = Table("language", "way", "n", *FIGURES)
    for row in found:
        cells = [_cell(*row[name]) if name in row else "-" for name in FIGURES]
        table.add_row(row["language"], row["way"], "+".join(map(str, row["n"])), *cells)
    Console(stderr=True, width=140).print(table)
    table = Table("language", "EER gained by translation", "words wrong", "times as long")
    for row in compared:
        numbers = [row[name] for name in ("words_wrong", "times_as_long")]
        shown = ("-" if number is None else f"{number:.3f}" for number in numbers)
        table.add_row(row["language"], _cell(*row["eer_gain"]), *shown)
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
    compared = list(comparisons(rows))
    show(found, compared)
    run = {"model": package.name, "threshold": package.threshold()}
    print(json.dumps({**run, "ways": found, "languages": compared}))


if __name__ == "__main__":
    sys.exit(run_command(main))
