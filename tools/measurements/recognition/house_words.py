"""What recognizers find and make up when they are told the words of a house.

python -m tools.measurements.recognition.house_words MANIFEST... --word WORD... --asr DIR

Reads each recording without being told, told, and (Whisper) with the words before it as if they had
just been said, which is what others call hotwords or an initial prompt. Prints, for each set, how
many of the words said are written, how often one is written that nobody says, how many texts say
more than was said, and what it costs; of the told ones, in how many a word was near, and how many
other texts were weighed for that.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tools.measurements.recognition.recognizers import normalise
from tools.measurements.vad.scenes import read_manifest
from turbo_stream._util.clocks import processor_time
from turbo_stream.addressing.house_words import HouseWords
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.recognizer import Expectant, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer

_MORE = 1.6
"""Times as long as what was said: a text that says more."""

Row = dict[str, Any]
Reader = Callable[[NDArray[np.int16]], Transcript | None]


def readers(spec: str, words: HouseWords) -> dict[str, Reader]:
    """Return the ways in which the recognizer `spec` reads, by name."""
    untold, told = (load_recognizer(spec, words=known, say=click.echo) for known in (None, words))
    for recognizer in (untold, told):
        recognizer.warm_up()
    found: dict[str, Reader] = {"untold": untold.transcribe, "told": told.transcribe}
    if isinstance(untold, WhisperRecognizer) and isinstance(untold, Expectant):
        prompted = untold
        found["prompted"] = lambda pcm: prompted.transcribe_expecting(
            pcm, words.spoken, lambda: True
        )
    return found


def count(text: str, word: str) -> int:
    """Return how often `text` has `word`, however it is written."""
    plain = re.sub(r"[\W_]+", "", word.lower())
    return re.sub(r"[^\w\s]|_", "", text.lower()).split().count(plain) if plain else 0


def says_more(text: str, gold: str) -> bool:
    """Return whether `text` is much longer than what was said, or says its last word on and on."""
    plain, said = normalise(text), normalise(gold)
    again = bool(said) and plain.count(said[-1]) > 1 + said.count(said[-1])
    return bool(said) and (again or len(text) > _MORE * len(gold))


def read(row: Row, spec: str, ways: dict[str, Reader], words: HouseWords) -> Row:
    """Return what is read of `row`, in all `ways`."""
    pcm = read_clip(Path(row["audio_filepath"]))
    gold = row.get("text") or ""
    line: Row = {"asr": spec, "set": row.get("set", "talk"), "gold": gold, "s": len(pcm) / 16_000}
    for name, reader in ways.items():
        started = processor_time()
        transcript = reader(pcm)
        assert transcript is not None  # nobody said stop
        line[name] = {
            "text": transcript.text,
            "ms": (processor_time() - started) * 1000,
            "guard": transcript.guard,
            "found": sum(min(count(gold, w), count(transcript.text, w)) for w in words.words),
            "made_up": sum(max(0, count(transcript.text, w) - count(gold, w)) for w in words.words),
        }
    line["said"] = sum(count(gold, word) for word in words.words)
    line["weighed"] = len(words.readings(line["untold"]["text"]))
    return line


def table(lines: Sequence[Row]) -> str:
    """Return the figures of each set and recognizer."""
    import jiwer

    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for line in lines:
        groups[line["asr"], line["set"]].append(line)
    head = (
        "set | n | minutes | way | words said | found | made up | word errors | stopped "
        "| says more | near, weighed | ms"
    )
    rows = [f"| {head} |", "|---" * (head.count("|") + 1) + "|"]
    for (_, group), some in groups.items():
        for way in [name for name in ("untold", "told", "prompted") if name in some[0]]:
            # Pieces of what Whisper writes with a hyphen are words of their own there.
            pairs = [
                (" ".join(normalise(line["gold"])), " ".join(normalise(line[way]["text"])))
                for line in some
                if line["gold"]
            ]
            errors = f"{jiwer.wer(*map(list, zip(*pairs, strict=True))):.3f}" if pairs else ""
            heard = [line[way] for line in some]
            rows.append(
                f"| {group} | {len(some)} | {sum(line['s'] for line in some) / 60:.1f} | {way} "
                f"| {sum(line['said'] for line in some)} | {sum(one['found'] for one in heard)} "
                f"| {sum(one['made_up'] for one in heard)} | {errors} "
                f"| {sum(one['guard'] in ('cap', 'repeats') for one in heard)} "
                f"| {sum(says_more(line[way]['text'], line['gold']) for line in some)} "
                f"| {_weighed(some) if way == 'told' else ''} "
                f"| {np.mean([one['ms'] for one in heard]):.0f} |"
            )
    return "\n".join(rows)


def _weighed(lines: Sequence[Row]) -> str:
    return f"{sum(line['weighed'] > 0 for line in lines)}, {sum(line['weighed'] for line in lines)}"


@click.command("tools.measurements.recognition.house_words", help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--word", "words", multiple=True, required=True, help="As of turbo-listen.")
@click.option("--asr", "specs", multiple=True, default=("auto",), show_default=True)
@click.option("--set", "sets", multiple=True, help="Sets to read; all if absent.")
@click.option("--every", default=1, show_default=True, help="Read every so many of them.")
@click.option("--limit", type=int, help="At most so many.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the readings.")
def main(
    manifests: tuple[Path, ...],
    words: tuple[str, ...],
    specs: tuple[str, ...],
    sets: tuple[str, ...],
    every: int,
    limit: int | None,
    out: Path | None,
) -> None:
    """Read, and print the table."""
    rows = [row for path in manifests for row in read_manifest(path)]
    rows = [row for row in rows if not sets or row.get("set") in sets][::every][:limit]
    lines: list[Row] = []
    for spec in specs:
        known = HouseWords(words)
        ways = readers(spec, known)
        for row in rows:
            lines.append(read(row, spec, ways, known))
            if out is not None:
                out.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    print(table(lines))


if __name__ == "__main__":
    raise SystemExit(run_command(main))
