"""Says how often a known voice is taken for another.

python -m tools.measurements.voices VECTORS.npz ...

Of files that `.record` wrote: the equal error rate of verification by corpus, by how many
utterances made the voice, by how much speech is judged, and in noise; what the channel alone would
reach; and what the threshold that ships does in houses of one, two and four.
"""

import sys
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from tools.measurements.voices.trials import Recorded, Trials, trials
from turbo_stream.cli.command import run_command

ENROLLED = (1, 3, 5, 10)
_FEWEST = 5
"""Speakers; of fewer nothing is said."""


def cell(found: Trials | None) -> str:
    """Return an equal error rate with its interval, for a person."""
    if found is None or found.speakers < _FEWEST or not found.own.any():
        return ""
    low, high = found.within()
    return f"{found.equal_error():.1%} ({low:.1%} to {high:.1%})"


def by_enrolment(recorded: Recorded) -> Table:
    """Return equal error rates of whole utterances, by how many made the voice."""
    table = Table(title="by utterances that made the voice")
    for name in ("corpus", "speakers", *map(str, ENROLLED), "3, channel alone"):
        table.add_column(name)
    channel = recorded.by_channel()
    for corpus in np.unique(recorded.corpus):
        found = [trials(recorded, corpus, enrol=count) for count in ENROLLED]
        most = max((one.speakers for one in found if one is not None), default=0)
        alone = trials(channel, corpus, enrol=3) or trials(channel, corpus, enrol=1)
        table.add_row(corpus, str(most), *map(cell, found), cell(alone))
    return table


def by_length(recorded: Recorded, enrol: int = 5) -> Table:
    """Return equal error rates by how much is judged, in quiet and in noise."""
    table = Table(title=f"by what is judged, voices of {enrol} utterances")
    kinds = [("clean", 1), ("clean", 2), ("clean", 0), ("10 dB", 0)]
    table.add_column("corpus")
    for condition, cut in kinds:
        table.add_column(f"{condition}, {f'{cut} s' if cut else 'whole'}")
    for corpus in np.unique(recorded.corpus):
        found = [
            trials(recorded, corpus, enrol=enrol, condition=condition, cut=cut)
            for condition, cut in kinds
        ]
        table.add_row(corpus, *map(cell, found))
    return table


def by_gender(recorded: Recorded) -> Table:
    """Return equal error rates where others are of the same gender, where it is known."""
    table = Table(title="by who the others are")
    for name in ("corpus", "enrolled", "anybody", "the same gender"):
        table.add_column(name)
    known = dict(zip(recorded.speaker.tolist(), recorded.gender.tolist(), strict=True))
    for corpus in np.unique(recorded.corpus):
        if "" in recorded.gender[recorded.corpus == corpus]:
            continue
        for count in (1, 5):
            found = trials(recorded, corpus, enrol=count)
            if found is not None:
                pairs = zip(found.enrolled.tolist(), found.tested.tolist(), strict=True)
                same = np.array([known[one] == known[other] for one, other in pairs])
                table.add_row(corpus, str(count), cell(found), cell(found.only(same)))
    return table


def houses(recorded: Recorded, enrol: int = 5) -> Table:
    """Return what the threshold does: members refused and visitors let in."""
    table = Table(title=f"as it ships, voices of {enrol} utterances")
    table.add_column("corpus")
    sizes = (1, 2, 4)
    for condition in ("clean", "10 dB"):
        for size in sizes:
            table.add_column(f"{condition}, house of {size}: refused / let in")
    for corpus in np.unique(recorded.corpus):
        row = []
        for condition in ("clean", "10 dB"):
            for size in sizes:
                found = trials(recorded, corpus, enrol=enrol, condition=condition, house=size)
                rates = None if found is None else found.errors()
                row.append("" if rates is None else f"{rates[0]:.1%} / {rates[1]:.1%}")
        table.add_row(corpus, *row)
    return table


@click.command("tools.measurements.voices")
@click.argument("vectors", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(vectors: tuple[Path, ...]) -> None:
    """Print the tables of VECTORS."""
    recorded, console = Recorded.read(vectors), Console(width=200)
    for table in (by_enrolment, by_length, by_gender, houses):
        console.print(table(recorded))


if __name__ == "__main__":
    sys.exit(run_command(main))
