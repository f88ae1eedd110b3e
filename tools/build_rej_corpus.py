"""Builds the device-directed-speech corpus: see docs/guide/corpus.md.

python -m tools.build_rej_corpus --out DIR [--texts DIR] [--kokoro DIR] [--hours H] [--workers N]
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tools.corpus.background import given_sounds
from tools.corpus.build import Build
from tools.corpus.hearing import Hearing, recognizer_names
from tools.corpus.kokoro import load_kokoro
from tools.corpus.kokoro_voices import KOKORO_VOICES
from tools.corpus.own_lines import own_lines
from tools.corpus.own_texts import own_sentences
from tools.corpus.plan import Planner
from tools.corpus.recording import Recordings
from tools.corpus.synthesis import silent_voices
from tools.corpus.text_collections import (
    benchmark_sentences,
    read_collections,
    without_repeats,
)
from tools.corpus.voices import VOICES, Voice
from turbo_stream._util.folder_lock import FolderLock
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.recognition.backends import NAMED

_HOURS = 7.0
_SMALL_HOURS = 0.2
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("tools.build_rej_corpus")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Corpus folder.")
@click.option(
    "--texts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of text collections (docs/guide/corpus.md); without it, our own sentences.",
)
@click.option(
    "--kokoro",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the natural voices (docs/guide/corpus.md).",
)
@click.option(
    "--voices",
    type=click.Choice(["all", "classic", "kokoro"]),
    help="Who speaks.  [default: all with --kokoro, else classic]",
)
@click.option("--noise", type=_FILE, help="Manifest of noises, beside simulated ones.")
@click.option("--rooms", type=_FILE, help="Manifest of room responses, beside simulated ones.")
@click.option(
    "--recordings",
    type=_FILE,
    multiple=True,
    help="Manifest of labelled real recordings, put into the same scenes; repeatable.",
)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    help=f"About how much speech.  [default: {_HOURS}; without --texts {_SMALL_HOURS}]",
)
@click.option(
    "--asr",
    multiple=True,
    metavar="|".join((*(name for name in NAMED if name != "none"), "NAME_OR_DIR")),
    help="Recognizer that hears the clips, as of turbo-listen; repeatable.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count, help="Processes.")
@click.option("--small", is_flag=True, help="A few hundred clips, for tests and CI.")
def main(
    out: Path,
    texts: Path | None,
    kokoro: Path | None,
    voices: str | None,
    noise: Path | None,
    rooms: Path | None,
    recordings: tuple[Path, ...],
    hours: float | None,
    asr: tuple[str, ...],
    seed: int,
    workers: int,
    small: bool,
) -> None:
    """Build a corpus of directed and not directed speech in the same voices; resumes in --out."""
    if small and hours:
        raise click.UsageError("--small and --hours exclude each other")
    voices = voices or ("all" if kokoro else "classic")
    if (voices == "classic") == (kokoro is not None):
        raise click.UsageError(
            "--voices kokoro and all need --kokoro DIR, and classic goes without it"
        )
    # The workers share the cores already: threads of their own would only fight over them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    hours = hours or (_SMALL_HOURS if small or not texts else _HOURS)
    collected = read_collections(texts) if texts else []
    unspoken = benchmark_sentences(texts) if texts else set()
    items = without_repeats(collected + own_sentences() + own_lines(), unspoken)
    speakers = [
        *(VOICES if voices != "kokoro" else ()),
        *(KOKORO_VOICES if voices != "classic" else ()),
    ]
    planner = Planner(items, seed, given_sounds(noise), given_sounds(rooms), speakers)
    plan = list(planner.clips(hours))
    recognizers = recognizer_names(asr)
    real = Recordings(recordings, planner.texts, seed)
    with FolderLock(out, "--out"):
        build = Build(out, (plan, real.clips), planner.background, kokoro)
        if build.planned_before < build.planned:
            _check_needs(speakers, kokoro)
        _run(build, recognizers, workers)
    print(
        json.dumps(
            {
                "out": str(out),
                "clips": build.state.clips,
                "hours": round(build.state.speech_s / 3600, 3),
                "refused": build.state.refused,
                "left_out": real.left_out,
                "heard_by": list(recognizers),
            }
        )
    )


def _check_needs(speakers: list[Voice], kokoro: Path | None) -> None:
    if find_spec("pyroomacoustics") is None:
        raise InputError("rooms need pyroomacoustics: pip install 'turbo-listen[train]'")
    if kokoro is not None:
        load_kokoro(kokoro)
    classic = (voice for voice in speakers if voice.engine != "kokoro")
    silent = [voice.name for voice in silent_voices(classic)]
    if silent:
        raise InputError(f"cannot speak as {', '.join(silent)}: packages in docs/guide/corpus.md")


def _run(build: Build, recognizers: dict[str, str], workers: int) -> None:
    with _progress() as progress:
        task = progress.add_task("speaking", total=build.planned, completed=build.planned_before)
        for clips in build.run(workers):
            progress.advance(task, clips)
        for name, spec in recognizers.items():
            hearing = Hearing(build.out, spec, name)
            heard = hearing.total - len(hearing.left)
            task = progress.add_task(name, total=hearing.total, completed=heard)
            for clips in hearing.run(workers):
                progress.advance(task, clips)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
