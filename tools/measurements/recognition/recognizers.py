"""How well recognizers do on recordings whose words are known.

python -m tools.measurements.recognition.recognizers MANIFEST... --asr pocketsphinx --asr DIR

Word error rate where a row has `text`; content-word recall there and where it has `slots` (the
words that a command is about). Prints a table on stderr and JSON on stdout.
"""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.recognizers.pocketsphinx_lm.text import words_of
from turbo_stream._util.clocks import processor_time
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.part import row_duration_s, row_offset_s
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer
from turbo_stream.recognition.recognizer import Recognizer

_FUNCTION_WORDS = (
    "a about am an and any are as at be been but by can could did do does for from get had has "
    "have he her him his how i i'd i'll i'm i've if in is it it's its just me my no not of oh on "
    "or our please she should so some than that that's the their them then there these they this "
    "those to up us was we were what when where which who will with would yeah yes you your"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())


def normalise(text: str) -> list[str]:
    """Return the words of a text: lower case, numbers spelled, no punctuation."""
    return [word.replace(".", "") for word in words_of(text.replace("-", " "))]


@dataclass
class Score:
    """What one recognizer did on one group of rows."""

    references: list[str] = field(default_factory=list)
    hypotheses: list[str] = field(default_factory=list)
    found: int = 0
    content: int = 0
    cpu_s: list[float] = field(default_factory=list)
    audio_s: float = 0.0

    def add(self, row: dict[str, Any], text: str, cpu_s: float, audio_s: float) -> None:
        """Count one utterance."""
        heard = normalise(text)
        self.cpu_s.append(cpu_s)
        self.audio_s += audio_s
        if row.get("text"):
            said = normalise(row["text"])
            self.references.append(" ".join(said))
            self.hypotheses.append(" ".join(heard))
        else:
            said = [word for value in row["slots"].values() for word in normalise(value)]
        content = [word for word in said if word not in FUNCTION_WORDS]
        left = list(heard)
        for word in content:
            if word in left:
                left.remove(word)
                self.found += 1
        self.content += len(content)

    def summary(self) -> dict[str, Any]:
        """Return the figures; null where a group has none."""
        import jiwer

        wer = jiwer.wer(self.references, self.hypotheses) if self.references else None
        return {
            "utterances": len(self.cpu_s),
            "word_error_rate": wer,
            "content_word_recall": self.found / self.content if self.content else None,
            "cpu_s_per_audio_s": sum(self.cpu_s) / self.audio_s,
            "cpu_s": {
                "p50": float(np.percentile(self.cpu_s, 50)),
                "p95": float(np.percentile(self.cpu_s, 95)),
            },
        }


def read_rows(manifest: Path, by: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (group, row) of the rows that can be scored.

    A `.json` file is a scene as `tools.corpus.build_scene` writes it, beside a `.flac` of its name.
    """
    if manifest.suffix == ".json":
        for row in json.loads(manifest.read_text(encoding="utf-8"))["segments"]:
            path, length = manifest.with_suffix(".flac"), row["end_s"] - row["start_s"] + 0.5
            start = max(row["start_s"] - 0.25, 0.0)
            yield manifest.stem, {**row, "path": path, "offset": start, "duration": length}
        return
    for item in read_manifest(manifest):
        if item.text or item.row.get("slots"):
            yield str(item.row.get(by, manifest.stem)), {**item.row, "path": item.path}


def read_sound(row: dict[str, Any]) -> NDArray[np.int16]:
    """Return the row's sound, int16 at 16 kHz, first channel."""
    info = soundfile.info(row["path"])
    start = round(row_offset_s(row) * info.samplerate)
    duration_s = row_duration_s(row)
    frames = -1 if duration_s is None else round(duration_s * info.samplerate)
    pcm, _ = soundfile.read(row["path"], frames, start, dtype="int16", always_2d=True)
    sound = pcm[:, 0]
    return (
        sound
        if info.samplerate == SAMPLE_RATE
        else soxr.resample(sound, info.samplerate, SAMPLE_RATE)
    )


def load(spec: str, say: Callable[[str], None]) -> Recognizer:
    """Return a recognizer of `--asr`, or PocketSphinx with a language model of one's choice."""
    if spec == "pocketsphinx:stock":
        return PocketSphinxRecognizer(None)
    if spec.startswith("pocketsphinx:"):
        return PocketSphinxRecognizer(spec.partition(":")[2])
    return load_recognizer(spec, say=say)


def show(results: dict[str, dict[str, dict[str, Any]]], console: Console) -> None:
    """Print word error rate / content-word recall, a row for each group."""
    table = Table("group", "n", *results, title="word error rate / content-word recall")
    first = next(iter(results.values()))

    def cell(score: dict[str, Any]) -> str:
        both = (score["word_error_rate"], score["content_word_recall"])
        return " / ".join("-" if value is None else f"{value:.3f}" for value in both)

    for group in first:
        cells = [cell(result[group]) for result in results.values()]
        table.add_row(group, str(first[group]["utterances"]), *cells)
    console.print(table)


@click.command("tools.measurements.recognition.recognizers")
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--asr",
    "specs",
    multiple=True,
    default=("pocketsphinx",),
    show_default=True,
    help="As in turbo-listen; also pocketsphinx:stock and pocketsphinx:DIR.",
)
@click.option("--by", default="source", show_default=True, help="Column that names the group.")
@click.option("--only", multiple=True, help="Groups to measure; all if absent.")
@click.option("--limit", type=int, help="At most so many of a group, drawn with --seed.")
@click.option("--seed", default=0, show_default=True)
def main(
    manifests: tuple[Path, ...],
    specs: tuple[str, ...],
    by: str,
    only: tuple[str, ...],
    limit: int | None,
    seed: int,
) -> None:
    """Measure the recognizers SPECS on MANIFESTS."""
    console = Console(stderr=True)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for manifest in manifests:
        for group, row in read_rows(manifest, by):
            if not only or group in only:
                groups[group].append(row)
    for rows in groups.values():
        random.Random(seed).shuffle(rows)
        del rows[len(rows) if limit is None else limit :]
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for spec in specs:
        recognizer = load(spec, console.print)
        recognizer.warm_up()
        scores = {group: Score() for group in groups}
        pairs = [(group, row) for group, rows in groups.items() for row in rows]
        for group, row in track(pairs, description=spec, console=console):
            sound = read_sound(row)
            before = processor_time()
            text = recognizer.transcribe(sound).text
            cpu_s = processor_time() - before
            scores[group].add(row, text, cpu_s, len(sound) / SAMPLE_RATE)
        results[spec] = {group: score.summary() for group, score in scores.items()}
    show(results, console)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(run_command(main))
