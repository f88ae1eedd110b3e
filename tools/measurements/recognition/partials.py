"""Whose words partial texts show: how much of speech that is rejected in the end.

python -m tools.measurements.recognition.partials --recordings MANIFEST --asr WHISPER

Every 0.6 s of each recording the sound alone and the sound with the recognizer's text are scored;
then the whole recording is decided. `--held-out coffee_commands,conversation=PACKAGE` names the
package that never met these collections. Prints JSON, and a table on stderr.
"""

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.judge.candidate import split_held_out
from tools.judge.pairs import held_out_items
from tools.judge.recording import Recording, read_recordings
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.deciding.decider import Decider
from turbo_stream.pipeline import Pipeline
from turbo_stream.segmentation.segment import Segment

EVERY_S = 0.6
SHOWN_FROM = (0.5, 0.8, 0.9, 0.95)
"""Probabilities with the text from which it is shown; the first stands for the threshold itself."""


@dataclass(frozen=True)
class Followed:
    """One recording: what was thought of it on the way, and in the end."""

    group: str
    accepted: bool
    surest: float
    """The highest probability with the text, of the times at which the sound alone accepted."""


def follow(decider: Decider, recording: Recording, group: str) -> Followed:
    """Score `recording` as it grows, then decide it."""
    pcm, surest = recording.pcm(), 0.0
    step, threshold = round(EVERY_S * SAMPLE_RATE), decider.threshold
    for end in range(step, len(pcm), step):
        spoken = Segment(0, 0, end, end, pcm[:end])
        by_sound = decider.score_sound(spoken)
        if by_sound is None or by_sound < threshold:
            continue
        hearing = decider.hear(spoken)
        score = hearing and decider.score_heard(spoken, hearing).score
        surest = max(surest, score.directed_probability if score else 0.0)
    event = decider.decide(Segment(0, 0, len(pcm), len(pcm), pcm))
    return Followed(group, event.decision == "accepted", surest)


def summary(followed: list[Followed], threshold: float) -> list[dict]:
    """Return for each group and each of `SHOWN_FROM` how many would have shown a text."""
    rows = []
    for group in dict.fromkeys(one.group for one in followed):
        for accepted in (False, True):
            ended = [o for o in followed if o.group == group and o.accepted == accepted]
            row: dict[str, Any] = {
                "set": group,
                "in the end": "accepted" if accepted else "rejected",
            }
            row["n"] = len(ended)
            for bound in SHOWN_FROM:
                wanted = threshold if bound == SHOWN_FROM[0] else bound
                row[f"{bound:g}"] = sum(one.surest >= wanted for one in ended)
            rows.append(row)
    return rows


@click.command("tools.measurements.recognition.partials", help=__doc__)
@click.option("--recordings", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, help="Name or folder of a Whisper model.")
@click.option(
    "--held-out",
    multiple=True,
    required=True,
    metavar="A,B=PACKAGE",
    help="A directed collection, another one, and a package that has met neither (repeatable).",
)
@click.option("--limit", default=45, show_default=True, help="At most so many of a collection.")
def main(recordings: Path, asr: str, held_out: tuple[str, ...], limit: int) -> None:
    """Follow the recordings."""
    everything, console = read_recordings(recordings, ()), Console(stderr=True)
    rows: list[dict] = []
    for collections, folder in map(split_held_out, held_out):
        decider = Pipeline.load(folder, asr=asr, say=console.print).decider
        items = held_out_items(everything, collections)
        followed = []
        for name, directed in zip(collections, (True, False), strict=True):
            side = [item for item in items if item.directed == directed]
            chosen = random.Random(0).sample(side, min(limit, len(side)))
            followed += [follow(decider, one, name) for one in track(chosen, name, console=console)]
        rows += summary(followed, decider.threshold)
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
    print(json.dumps({"asr": asr, "every_s": EVERY_S, "shown": rows}, indent=1))


if __name__ == "__main__":
    sys.exit(run_command(main))
