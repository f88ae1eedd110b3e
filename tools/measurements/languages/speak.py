"""Commands and talk in four languages, spoken by the same voice, as manifests to measure on.

python -m tools.measurements.languages.speak --out DIR

Both classes are about as long, and a pair of lines has one level and one noise: what is said
differs. Needs a program that speaks, by default SVOX Pico (Debian, non-free: libttspico-utils).
"""

import csv
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream._util.unicode_text import json_text
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip

LINES = Path(__file__).parent / "lines.tsv"
"""Written for this by hand, the same in each language; two lines are a pair."""

LOCALES = {"en": "en-GB", "es": "es-ES", "de": "de-DE", "fr": "fr-FR"}
SAY = "pico2wave -l {locale} -w {out} {text}"

_BEFORE_S, _AFTER_S = 0.3, 0.5
_QUIET = 0.01
"""Of the loudest sample: what is softer at the ends is cut, so that all margins are alike."""


def read_lines(path: Path = LINES) -> list[dict[str, str]]:
    """Return the lines: `label`, and the text by language."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def spoken(say: str, text: str, language: str) -> NDArray[np.float32]:
    """Return `text` as the command `say` speaks it, `[N]` float32 at 16 kHz.

    Raises:
        InputError: the command is not there, or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "said.wav")
        values = {"locale": LOCALES[language], "language": language, "out": out, "text": text}
        command = [part.format(**values) for part in shlex.split(say)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise InputError(
                f"`{command[0]}` does not speak ({error}); give another `say`"
            ) from error
        return read_clip(out, 0.0, None).astype(np.float32) / np.float32(32768)


def placed(sound: NDArray[np.float32], pair: int, number: int) -> NDArray[np.float32]:
    """Return `sound` cut to its speech, at the level and in the noise of its `pair`, `[N]`."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    drawn = np.random.default_rng([20, pair])
    level_db, noise_db = drawn.uniform(-30, -20), -drawn.uniform(20, 40)
    sound = sound * 10 ** (level_db / 20) / np.sqrt(np.mean(sound**2))
    around = [round(seconds * SAMPLE_RATE) for seconds in (_BEFORE_S, _AFTER_S)]
    sound = np.pad(sound, (around[0], around[1]))
    noise = np.random.default_rng([21, number]).standard_normal(len(sound))
    return np.clip(sound + noise * 10 ** ((level_db + noise_db) / 20), -1, 1).astype(np.float32)


def write_language(language: str, say: str, out: Path, lines: list[dict[str, str]]) -> None:
    """Write the sound of one `language` into `out`, and its manifest."""
    folder = out / language
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    shown = track(lines, language, console=Console(stderr=True), transient=True)
    for number, line in enumerate(shown):
        path = folder / f"{number:03d}.flac"
        sound = placed(spoken(say, line[language], language), number // 2, number)
        soundfile.write(path, sound, SAMPLE_RATE)
        rows.append(
            {
                "audio_filepath": f"{language}/{path.name}",
                "label": line["label"],
                "text": line[language],
                "english": line["en"],
                "lang": language,
                "group": f"pair{number // 2}",
            }
        )
    written = "".join(json_text(row) + "\n" for row in rows)
    (out / f"{language}.jsonl").write_text(written, "utf-8")


@click.command("tools.measurements.languages.speak")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--say", default=SAY, show_default=True, help="Command that speaks a line.")
@click.option("--language", "languages", multiple=True, type=click.Choice(list(LOCALES)))
@click.option("--lines", "count", type=click.IntRange(2), help="Only the first so many lines.")
def main(out: Path, say: str, languages: tuple[str, ...], count: int | None) -> None:
    """Have the lines spoken, a manifest for each language."""
    for language in languages or LOCALES:
        write_language(language, say, out, read_lines()[:count])


if __name__ == "__main__":
    sys.exit(run_command(main))
