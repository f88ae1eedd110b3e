"""When a text of Whisper's is worth reading again in a longer window, and in which.

python -m tools.measurements.recognition.second_reading MANIFEST... --asr DIR --by set

Reads every clip once in every window, then applies each rule to what was written. A row's `text`
is what was said, "" where nothing was. Prints a table on stderr and JSON on stdout.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import jiwer
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from turbo_stream.benchmark.asr.sounds import Utterance, read_utterances
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.figures.word_errors import whisper_normalizer
from turbo_stream.recognition.guards import is_doubtful
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

WINDOWS_S = (8, 10, 12, 15, 30)
LADDERS = (
    *((window,) for window in WINDOWS_S),
    *((8, 15, 30), (10, 15), (10, 30), (10, 15, 30), (12, 15, 30), (15, 30)),
)
"""Windows to read in, one after the other while the text is doubtful."""

UNSURE = (-1.5, -1.0, -0.6)
"""Mean log-probabilities below which a text could be called doubtful, too."""

_WIDTH = 160

normalize = lru_cache(maxsize=None)(whisper_normalizer("en"))


@dataclass(frozen=True)
class Reading:
    """One clip in one window."""

    transcript: Transcript
    cpu_ms: float


Readings = dict[int, Reading]
Doubt = Callable[[Transcript], bool]


def read(recognizer: WhisperRecognizer, utterances: Sequence[Utterance]) -> list[Readings]:
    """Return what each utterance gave in each window, without second readings."""
    found = []
    for utterance in track(utterances, console=Console(stderr=True), transient=True):
        readings = {}
        for window_s in WINDOWS_S:
            config = WindowConfig(window_s, 2.0)
            samples = config.samples(len(utterance.pcm), recognizer.reader.longest)
            started = time.process_time()
            transcript = recognizer.read_once(utterance.pcm, samples)
            readings[window_s] = Reading(transcript, (time.process_time() - started) * 1000)
        found.append(readings)
    return found


def rules() -> Iterator[tuple[str, tuple[int, ...], Doubt]]:
    """Yield name, windows and doubt of each rule."""
    for ladder in LADDERS:
        yield "loops", ladder, is_doubtful
    for ladder in ((10, 15), (10, 30)):
        yield "loops, any guard", ladder, lambda t: is_doubtful(t) or t.guard is not None
        for least in UNSURE:
            yield f"loops, log-probability < {least:g}", ladder, _or_unsure(least)


def follow(readings: Readings, ladder: Sequence[int], doubt: Doubt) -> tuple[Transcript, float]:
    """Return the text that a rule ends with, and the processor time it took."""
    cpu_ms = 0.0
    for window_s in ladder:
        reading = readings[window_s]
        cpu_ms += reading.cpu_ms
        if not doubt(reading.transcript):
            break
    return reading.transcript, cpu_ms


def measure(
    utterances: Sequence[Utterance],
    readings: Sequence[Readings],
    ladder: Sequence[int],
    doubt: Doubt,
) -> dict[str, Any]:
    """Return word error rates, times and the share of second readings under one rule."""
    followed = [follow(one, ladder, doubt) for one in readings]
    pairs = list(zip(utterances, followed, strict=True))
    spoken = [(one, transcript, ms) for one, (transcript, ms) in pairs if one.text]
    silent = [(transcript, ms) for one, (transcript, ms) in pairs if not one.text]
    twice = [doubt(found[ladder[0]].transcript) for found in readings] if ladder[1:] else [False]
    return {
        "windows_s": list(ladder),
        "wer": _wer(spoken),
        "per_source": {
            source: _wer([row for row in spoken if row[0].source == source])
            for source in dict.fromkeys(one.source for one, _, _ in spoken)
        },
        "cpu_ms": _times([ms for _, _, ms in spoken]),
        "read_again": float(np.mean(twice)),
        "silent_with_text": float(np.mean([bool(t.text) for t, _ in silent])) if silent else None,
        "silent_cpu_ms": _times([ms for _, ms in silent]) if silent else None,
    }


def _or_unsure(least: float) -> Doubt:
    def doubt(transcript: Transcript) -> bool:
        confidence = transcript.confidence
        unsure = confidence is not None and confidence.avg_logprob < least
        return unsure or is_doubtful(transcript)

    return doubt


def _wer(rows: Sequence[tuple[Utterance, Transcript, float]]) -> float:
    said = [normalize(str(one.text)) for one, _, _ in rows]
    heard = [normalize(transcript.text) for _, transcript, _ in rows]
    kept = [number for number, text in enumerate(said) if text]
    return float(jiwer.wer([said[n] for n in kept], [heard[n] for n in kept]))


def _times(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        "p50": float(np.percentile(values, 50)),
        "p95": float(np.percentile(values, 95)),
    }


def show(results: Sequence[dict[str, Any]]) -> None:
    """Print a row for each rule."""
    sources = list(results[0]["per_source"])
    table = Table("doubtful", "windows", "wer", *sources, "mean", "p95", "again", "from silence")
    for row in results:
        silence = row["silent_with_text"]
        table.add_row(
            row["rule"],
            " ".join(map(str, row["windows_s"])),
            f"{row['wer']:.3f}",
            *(f"{row['per_source'][source]:.3f}" for source in sources),
            f"{row['cpu_ms']['mean']:.0f}",
            f"{row['cpu_ms']['p95']:.0f}",
            f"{row['read_again']:.3f}",
            "-" if silence is None else f"{silence:.2f}",
        )
    Console(stderr=True, width=_WIDTH).print(table)


@click.command("tools.measurements.recognition.second_reading")
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, metavar="DIR", help="Folder of a Whisper model.")
@click.option("--by", default="source", show_default=True, help="Column that names the source.")
@click.option("--only", multiple=True, help="Sources to measure; all if absent.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Clips of each source.")
def main(
    manifests: tuple[Path, ...], asr: str, by: str, only: tuple[str, ...], limit: int | None
) -> None:
    """Measure rules for second readings on MANIFESTS."""
    recognizer = WhisperRecognizer(asr)
    recognizer.warm_up()
    utterances = [
        one
        for one in read_utterances(manifests, limit, by=by)
        if one.text is not None and (not only or one.source in only)
    ]
    readings = read(recognizer, utterances)
    results = [
        {"rule": name, **measure(utterances, readings, ladder, doubt)}
        for name, ladder, doubt in rules()
    ]
    show(results)
    print(json.dumps({"asr": recognizer.name, "n": len(utterances), "rules": results}))


if __name__ == "__main__":
    sys.exit(run_command(main))
