"""How many calls of a name are found before and after it was taught, and what else then is.

python -m tools.measurements.teaching READINGS.jsonl

READINGS has a line for each recording: `set`, `label`, `name` (of the device), `gold` (what was
said), `group` (who said it), `plain` (what a recognizer read, first) and `told` (the same by name,
for a recognizer that was told it). Teaches with five sayings drawn at random, of one group where
that has as many, else of as few as can be.
"""

import json
import random
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np

from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.tuning.lesson import kept_readings

SAYINGS = 5
NOBODY = "zzxq"
"""A name whose spelling says nothing of how the real one sounds."""

Row = dict[str, Any]


def transcript(reading: list[Any]) -> Transcript:
    """Return what a recognizer read."""
    return Transcript(reading[0])


def found(device: Addressing, row: Row, name: str) -> bool:
    """Return whether `row` calls the device, by either reading where it was read twice."""
    plain = transcript(row["plain"])
    if device.said(plain).use != "absent":
        return device.calls(plain)
    if name not in row["told"] or not device.doubts(plain):
        return False
    return device.calls(transcript(row["told"][name]))


class Trial:
    """All about one name."""

    def __init__(self, name: str, rows: list[Row], dialogue: list[Row]) -> None:
        """Find its calls among `rows`."""
        self.name = name
        self.calls = [
            row
            for row in rows
            if row["name"] == name
            and row["label"] == "directed"
            and letters(row["gold"]) == letters(name)
        ]
        self.near = [
            row
            for row in rows
            if row["name"] == name
            and row["set"] == "home_wake_words"
            and row["label"] != "directed"
        ]
        self.dialogue = dialogue
        self.plain_only = self.by_spelling(reads_again=False)
        self.before = self.by_spelling(reads_again=True)

    def by_spelling(self, *, reads_again: bool) -> frozenset[int]:
        """Return which calls are found untaught."""
        device = Addressing.of("named", [self.name], 0, reads_again=reads_again)
        told = self.name if reads_again else ""
        return frozenset(i for i, row in enumerate(self.calls) if found(device, row, told))

    @cache  # noqa: B019
    def by_way(self, way: tuple[str, ...], rows: str, reads_again: bool) -> frozenset[int]:
        """Return what one taught pronunciation finds among `calls`, `dialogue` or `near`."""
        return self.by_ways([way], getattr(self, rows), reads_again=reads_again)

    def by_ways(
        self, ways: list[tuple[str, ...]], rows: list[Row], *, reads_again: bool
    ) -> frozenset[int]:
        """Return what any of them finds among `rows`."""
        lesson = TaughtName(NOBODY, "", tuple(ways))
        device = Addressing.of("named", [NOBODY], 0, reads_again=reads_again, taught=[lesson])
        return frozenset(i for i, row in enumerate(rows) if device.calls(transcript(row["plain"])))

    def draw(self, random_: random.Random) -> tuple[list[int], set[str]]:
        """Return sayings to teach with, and who said them."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(self.calls):
            groups[row["group"]].append(index)
        order = list(groups)
        random_.shuffle(order)
        taken: list[int] = []
        who: set[str] = set()
        for group in order:
            # One of each stays to be tested.
            some = random_.sample(groups[group], min(len(groups[group]) - 1, SAYINGS - len(taken)))
            taken += some
            who |= {group} if some else set()
        return taken, who

    def run(self, draws: int) -> dict[str, float]:
        """Return the means of all draws, in percent but for counts."""
        random_ = random.Random(1)
        columns: dict[str, list[float]] = defaultdict(list)
        drawn = [self.draw(random_) for _ in range(draws)]
        every: dict[tuple[str, ...], None] = {}
        for taken, _ in drawn:
            readings = [transcript(self.calls[index]["plain"]) for index in taken]
            every |= dict.fromkeys(kept_readings(NOBODY, readings))
        # Only what one of them finds needs to be looked at for each.
        hit: frozenset[int] = frozenset()
        if every:
            hit = self.by_ways(list(every), self.dialogue, reads_again=False)
        self.dialogue = [row for index, row in enumerate(self.dialogue) if index in hit]
        for taken, who in drawn:
            readings = [transcript(self.calls[index]["plain"]) for index in taken]
            ways = kept_readings(self.name, readings)
            unspelled = kept_readings(NOBODY, readings)
            tested = [i for i in range(len(self.calls)) if i not in taken]
            same = [i for i in tested if self.calls[i]["group"] in who]
            other = [i for i in tested if self.calls[i]["group"] not in who]
            for again, mode in ((True, "told"), (False, "untold")):

                def hits(
                    of: list[tuple[str, ...]], rows: str, again: bool = again
                ) -> frozenset[int]:
                    return frozenset().union(*(self.by_way(way, rows, again) for way in of))

                before = self.before if again else self.plain_only
                for who_said, some in (("same", same), ("other", other)):
                    if some:
                        about = f"{mode}, {who_said}"
                        columns[f"{about}: spelled"].append(share(before, some))
                        taught = before | hits(ways, "calls")
                        columns[f"{about}: and taught"].append(share(taught, some))
                        alone = hits(unspelled, "calls")
                        columns[f"{about}: taught alone"].append(share(alone, some))
                for rows in ("dialogue", "near"):
                    count = len(hits([*ways, *unspelled], rows))
                    columns[f"{mode}: {rows}"].append(count)
                    most = f"{mode}: {rows}, most"
                    columns[most] = [max(count, *columns[most], 0)]
        return {title: float(np.mean(column)) for title, column in columns.items()}


def share(found_: frozenset[int], some: list[int]) -> float:
    """Return how many percent of `some` were found."""
    return 100 * len(found_.intersection(some)) / len(some)


def letters(text: str) -> str:
    """Return the letters of `text` alone."""
    return "".join(letter for letter in text.lower() if letter.isalpha())


@click.command()
@click.argument("readings", type=click.Path(path_type=Path, exists=True))
@click.option("--name", "names", multiple=True, help="Of those in READINGS; repeatable.")
@click.option("--dialogue", default="acted_dialogue", show_default=True, help="Set without names.")
@click.option("--draws", default=20, show_default=True)
def main(readings: Path, names: tuple[str, ...], dialogue: str, draws: int) -> None:
    """Print a line of percentages for each name."""
    rows = [json.loads(line) for line in readings.read_text("utf-8").splitlines()]
    talk = [row for row in rows if row["set"] == dialogue]
    everything = []
    for name in names or sorted({row["name"] for row in rows if row["name"]}):
        trial = Trial(name, rows, talk)
        if len(trial.calls) > 2 * SAYINGS:
            figures = trial.run(draws)
            everything.append(figures)
            click.echo(f"{name} ({len(trial.calls)}): {shown(figures)}")
    titles = dict.fromkeys(title for figures in everything for title in figures)
    mean = {
        title: float(np.mean([figures[title] for figures in everything if title in figures]))
        for title in titles
    }
    click.echo(f"mean: {shown(mean)}")


def shown(figures: dict[str, float]) -> str:
    """Return figures for a person."""
    return "; ".join(f"{title} {value:.1f}" for title, value in figures.items())


if __name__ == "__main__":
    main()
