"""IEMOCAP as a manifest: `python -m training.data.iemocap FOLDER --out manifest.jsonl`.

The protocol of the field: four classes, excitement merged into happiness, 5531 utterances (Busso et
al. 2008, https://sail.usc.edu/iemocap; the corpus is licensed and has to be asked for).
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

CLASSES = {"ang": "angry", "exc": "happy", "hap": "happy", "neu": "neutral", "sad": "sad"}
"""Annotations that are used, and what they are called here; all others are left out."""

UTTERANCES = 5531
"""In the whole corpus."""

_RATED = re.compile(
    r"^\[(?P<start>[\d.]+) - (?P<end>[\d.]+)\]\s+(?P<turn>(?P<dialog>Ses\d\d[FM]_\w+?)_[FM]\d+)\s+"
    r"(?P<emotion>[a-z]{3})\s"
)
_SPOKEN = re.compile(r"^(?P<turn>Ses\d\d[FM]_\w+_[FM]\d+) \[[\d.]+-[\d.]+\]:\s*(?P<text>.*)$")
_NOISE = re.compile(r"\[[^\]]*\]")
"""What is not a word, as `[LAUGHTER]`."""


def _lines(folder: Path) -> Iterator[str]:
    """Yield the lines of the texts in `folder`; macOS leaves files that begin with `._`."""
    for path in sorted(folder.glob("*.txt")):
        if not path.name.startswith("."):
            yield from path.read_text("utf-8", "replace").split("\n")


def _transcripts(session: Path) -> dict[str, str]:
    found = {}
    for line in _lines(session / "dialog" / "transcriptions"):
        match = _SPOKEN.match(line)
        if match:
            found[match["turn"]] = " ".join(_NOISE.sub(" ", match["text"]).split())
    return found


def utterances(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield a manifest row for every utterance of the four classes, session by session.

    Raises:
        InputError: a session is missing, or the sound of an utterance.
    """
    for number in range(1, 6):
        session = corpus / f"Session{number}"
        ratings = session / "dialog" / "EmoEvaluation"
        if not ratings.is_dir():
            raise InputError(
                f"{ratings} is no folder; give the folder of IEMOCAP that holds Session1 to "
                "Session5"
            )
        texts = _transcripts(session)
        for line in _lines(ratings):
            match = _RATED.match(line)
            if match is None or match["emotion"] not in CLASSES:
                continue
            turn = match["turn"]
            sound = session / "sentences" / "wav" / match["dialog"] / f"{turn}.wav"
            if not sound.is_file():
                raise InputError(
                    f"{sound} is missing, and {turn} is rated; unpack the corpus again"
                )
            yield {
                "audio_filepath": sound,
                "label": CLASSES[match["emotion"]],
                "text": texts.get(turn, ""),
                "duration": round(float(match["end"]) - float(match["start"]), 4),
                "speaker": f"Ses0{number}{turn.rpartition('_')[2][0]}",
                "session": str(number),
                "dialog": match["dialog"],
                "emotion": match["emotion"],
                "set": "iemocap",
                "shippable": False,
            }


@click.command("training.data.iemocap")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The JSONL manifest.")
def main(folder: Path, out: Path) -> None:
    """Write the utterances of the licensed corpus in FOLDER as a JSONL manifest."""
    rows = list(utterances(folder))
    write_manifest(out, rows)
    counts = Counter(row["label"] for row in rows)
    spread = ", ".join(f"{label} {count}" for label, count in sorted(counts.items()))
    print(f"{len(rows)} utterances: {spread}")
    if len(rows) != UTTERANCES:
        print(
            f"training.data.iemocap: the whole corpus has {UTTERANCES} utterances of these "
            "classes; figures from this part cannot be compared",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(run_command(main))
