"""How long after the end of the speech ours and other programs answer, in the same run.

python -m tools.measurements.peers examples/kitchen.flac --asr WHISPER [--packages DIR] [--json]

Each program hears the same sound at its own pace, in a process of its own, with the same Whisper
folder, INT8, beam 1 and one thread; they take turns, `--repeats` times. The plain loop and
RealtimeSTT say what was said; turbo_stream says to whom as well.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tools.measurements.peers.figures import compare, draw, summary
from tools.measurements.peers.programs import (
    PLAIN,
    PROGRAMS,
    UNGUARDED,
    NotRunError,
    Run,
    run_program,
)
from turbo_stream.benchmark.machine import load_average, machine
from turbo_stream.benchmark.report import check_plot, show, write_plot
from turbo_stream.benchmark.sound.joining import quiet_room
from turbo_stream.benchmark.sound.material import read_material
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.spans import Span
from turbo_stream.recognition.whisper_model import find_model

TOKENS_PER_SECOND = 3
"""Of natural speech."""

SILENCE_AFTER_S = 2.5
"""Of a quiet room at the end, in which the last answers are given."""


@click.command("tools.measurements.peers", help=__doc__)
@click.argument("sound", type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, help="Folder of a CTranslate2 Whisper.")
@click.option(
    "--packages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that peers were installed into with pip's --target.",
)
@click.option(
    "--random-weights",
    is_flag=True,
    help="The folder is one of make_random_whisper: add a row without second readings.",
)
@click.option("--only", multiple=True, type=click.Choice(list(PROGRAMS)), help="Repeatable.")
@click.option("--seconds", default=20.0, show_default=True, help="Utterances that end by then.")
@click.option("--repeats", type=click.IntRange(1), default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plot", type=click.Path(path_type=Path), help="PNG to write.")
def main(
    sound: Path,
    asr: str,
    packages: Path | None,
    random_weights: bool,
    only: tuple[str, ...],
    seconds: float,
    repeats: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Run the comparison."""
    check_plot(plot)
    folder = find_model(asr).path
    stream, spans = _read(sound, seconds)
    mean_speech_s = sum(span.end_s - span.start_s for span in spans) / len(spans)
    before = load_average()
    names = only or tuple(name for name in PROGRAMS if random_weights or name != UNGUARDED)
    runs, not_run = _take_turns(names, stream, folder, packages, repeats)
    figures = {name: summary(own, spans) for name, own in runs.items()}
    compare(figures, PLAIN)
    found = {
        "machine": machine() | {"load_average": before},
        "sound": {
            "name": sound.name,
            "seconds": stream.duration_s,
            "utterances": len(spans),
            "mean_speech_s": mean_speech_s,
            "tokens_for_random_weights": round(TOKENS_PER_SECOND * mean_speech_s),
        },
        "repeats": repeats,
        "programs": figures,
        "not_run": not_run,
    }
    write_plot(plot, lambda: draw(figures))
    if as_json:
        show("", found, as_json=True)
    else:
        Console().print(_table(figures))


def _read(sound: Path, seconds: float) -> tuple[Stream, Sequence[Span]]:
    """Return the stream with a quiet room behind it, and where it holds speech."""
    stream = read_material([sound], seconds).streams[0]
    if stream.spans is None:
        raise InputError(
            f"{sound} has no {sound.stem}.json beside it that says when somebody speaks; write one "
            'with {"segments": [{"start_s": .., "end_s": .., "label": ..}]}, or give a manifest of '
            "single utterances"
        )
    if not stream.spans:
        raise InputError(f"no utterance in {sound} ends within {seconds:g} s; give more --seconds")
    pcm = np.concatenate((stream.pcm, quiet_room(SILENCE_AFTER_S)))
    return replace(stream, pcm=pcm), stream.spans


def _take_turns(
    names: tuple[str, ...], stream: Stream, asr: Path, packages: Path | None, repeats: int
) -> tuple[dict[str, list[Run]], dict[str, str]]:
    """Return the runs of each program, and why others did not run."""
    runs: dict[str, list[Run]] = {}
    not_run: dict[str, str] = {}
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
        sound = Path(folder, "sound.npy")
        np.save(sound, stream.pcm)
        task = progress.add_task("", total=repeats * len(names))
        for turn in range(repeats):
            # Nobody is always first: the machine may slow down or recover meanwhile.
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                progress.update(task, description=name)
                try:
                    if name not in not_run:
                        run = run_program(PROGRAMS[name], sound, asr, packages)
                        runs.setdefault(name, []).append(run)
                except NotRunError as error:
                    not_run[name] = str(error)
                    console.print(f"{name} left out: {error}", markup=False, soft_wrap=True)
                progress.advance(task)
    return runs, not_run


def _table(figures: dict[str, dict[str, Any]]) -> Table:
    table = Table("", *figures)

    def row(title: str, *path: str, form: str = ".0f") -> None:
        cells = []
        for own in figures.values():
            value: Any = own
            for key in path:
                value = value.get(key) if value else None
            cells.append("" if value is None else f"{value:{form}}")
        table.add_row(title, *cells)

    row("utterances, all runs", "utterances")
    row("answered", "answered")
    row("cut off", "cut_off")
    row("refused by a guard", "guarded")
    for title, key in (
        ("end silence", "end_silence_ms"),
        ("endpoint to answer", "after_endpoint_ms"),
        ("speech end to answer", "from_speech_end_ms"),
    ):
        row(f"{title}, p50, ms", key, "p50", form=".1f")
        row(f"{title}, p95, ms", key, "p95", form=".1f")
    fast = "times_as_fast_as_plain"
    row("times as fast as plain after the endpoint", fast, "after_endpoint_ms", form=".1f")
    row("times as fast as plain from the speech's end", fast, "from_speech_end_ms", form=".2f")
    row("CPU seconds per audio second", "cpu_per_audio_second", form=".3f")
    row("resident memory, MiB", "resident_mb")
    row("most of it, MiB", "peak_resident_mb")
    row("start to ready, s", "ready_s", form=".2f")
    return table


if __name__ == "__main__":
    sys.exit(run_command(main))
