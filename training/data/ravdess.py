"""RAVDESS as a manifest: `python -m training.data.ravdess FOLDER --out manifest.jsonl`.

Acted emotions of 24 actors (Livingstone and Russo 2018, https://zenodo.org/records/1188976). Every
actor says the same two sentences, so they are not given as `text`: it would say nothing.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import write_manifest

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""In the order of their codes, from 01."""

_NAME = re.compile(
    r"^03-01-(?P<emotion>0[1-8])-(?P<intensity>\d\d)-(?P<statement>\d\d)-(?P<repetition>\d\d)-"
    r"(?P<actor>\d\d)$"
)
"""Sound alone (03), speech and not song (01)."""


def recordings(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield a manifest row for every recording of speech anywhere under `corpus`.

    Raises:
        InputError: there is none.
    """
    count = 0
    for path in sorted(corpus.rglob("*.wav")):
        match = _NAME.match(path.stem)
        if match is None:
            continue
        count += 1
        actor = int(match["actor"])
        yield {
            "audio_filepath": path,
            "label": EMOTIONS[int(match["emotion"]) - 1],
            "speaker": f"ravdess_{actor:02d}",
            "gender": "m" if actor % 2 else "f",
            "intensity": "strong" if match["intensity"] == "02" else "normal",
            "statement": int(match["statement"]),
            "set": "ravdess",
            "license": "CC-BY-NC-SA-4.0",
            "shippable": False,
        }
    if not count:
        raise InputError(
            f"{corpus} holds no recording named like 03-01-06-01-02-01-12.wav; give the folder of "
            "RAVDESS that holds Actor_01 to Actor_24"
        )


@click.command("training.data.ravdess")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The JSONL manifest.")
def main(folder: Path, out: Path) -> None:
    """Write the recordings of speech in FOLDER as a JSONL manifest."""
    rows = list(recordings(folder))
    write_manifest(out, rows)
    counts = Counter(row["label"] for row in rows)
    spread = ", ".join(f"{label} {counts[label]}" for label in EMOTIONS if counts[label])
    print(f"{len(rows)} recordings of {len({row['speaker'] for row in rows})} actors: {spread}")


if __name__ == "__main__":
    sys.exit(run_command(main))
