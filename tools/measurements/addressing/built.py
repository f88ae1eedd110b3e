"""The built sentences in natural voices: a manifest that the recorder reads.

python -m tools.measurements.addressing.built --kokoro FOLDER --out DIR [SENTENCES]
"""

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track

from tools.corpus.kokoro import KOKORO_RATE, load_kokoro
from tools.corpus.kokoro_voices import KOKORO_VOICES
from tools.corpus.scene_sound import write_flac
from tools.corpus.voices import Voice
from tools.measurements.addressing.sentences import rows
from training.data.lines import read_lines
from turbo_stream._util.files import write_text
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

_SEED = 1


def english_voices() -> list[Voice]:
    """Return the 28 voices that are no blend and speak English, in a drawn order."""
    found = [one for one in KOKORO_VOICES if one.blend is None and one.engine_voice[0] in "ab"]
    random.Random(_SEED).shuffle(found)
    return found


def assigned(sentences: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Voice]]:
    """Return each sentence with a voice: all voices of a set in turn, so that none goes with it."""
    voices = english_voices()
    count: dict[str, int] = {}
    found = []
    for row in sentences:
        number = count.setdefault(row["set"], 0)
        count[row["set"]] += 1
        found.append((row, voices[number % len(voices)]))
    return found


def _digest(text: str, voice: Voice) -> str:
    return hashlib.sha256(f"{voice.name}: {text}".encode()).hexdigest()[:16]


@click.command("tools.measurements.addressing.built")
@click.argument("sentences", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--kokoro", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(sentences: Path | None, kokoro: Path, out: Path) -> None:
    """Say SENTENCES, those of `tools.measurements.addressing.sentences` if absent, with Kokoro.

    What is said already is not said again.
    """
    said = list(rows() if sentences is None else read_lines(sentences))
    out.mkdir(parents=True, exist_ok=True)
    engine = load_kokoro(kokoro)
    lines = []
    console = Console(stderr=True)
    for row, voice in track(assigned(said), description="speaking", console=console):
        path = out / f"{_digest(row['text'], voice)}.flac"
        if not path.exists():
            samples = engine.say(row["text"], voice, 1.0)
            if not len(samples):
                raise InputError(f"Kokoro cannot say {row['text']!r}; give it other words")
            samples = np.clip(soxr.resample(samples, KOKORO_RATE, SAMPLE_RATE), -1, 1)
            write_flac(path, np.rint(samples * 32767).astype(np.int16))
        length = round(soundfile.info(path).duration, 3)
        kept = {"audio_filepath": path.name, "duration": length, "group": voice.name}
        lines.append(json.dumps({**row, **kept}) + "\n")
    write_text(out / "manifest.jsonl", "".join(lines))
    print(json.dumps({"manifest": str(out / "manifest.jsonl"), "sentences": len(lines)}))


if __name__ == "__main__":
    sys.exit(run_command(main))
