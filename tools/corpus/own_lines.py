"""Command line: `python -m tools.corpus.own_lines --out TEXTS`.

Lines written by hand for this project, of kinds that no open collection has:
`text/own/CLASS/KIND.txt` with a line of `text` or `before => text` each, and pairs that differ in
little else than whom they are said to, `text/own/pairs.txt` with `D` or `N`, `before` and `text`
between tabs. `before` is the turn before, `{name}` the device's own name. They become
`own_lines.jsonl.gz` for `data.text`; `tools.build_rej_corpus` speaks them as well.
"""

import gzip
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tools.corpus.normalize import normalize
from tools.corpus.own_texts import LICENSE, names
from tools.corpus.text_collections import DIRECTED, NOT_DIRECTED, TextItem, fold_of, speakable
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

FOLDER = Path(__file__).parent / "text" / "own"
_PAIRS = "pairs"
_LABELS = {"D": DIRECTED, "N": NOT_DIRECTED}
_NAME = "{name}"
_NAMED_TIMES = 4
"""How often the corpus has a line with a name, each time another one."""


@dataclass(frozen=True)
class OwnLine:
    """A line as it was written."""

    text: str
    label: str
    before: str | None
    kind: str
    conv: str
    """What stays on one side of a split: the kind, or one pair."""
    key: str
    """What the fold of the corpus hangs on: the line itself, or the first of its pair."""
    device_name: str | None = None

    @property
    def fold(self) -> str:
        """The side on which it is spoken."""
        return fold_of(self.key)

    def called(self, name: str) -> "OwnLine":
        """Return the line as it is said to a device of this name; itself if it names none."""
        if _NAME not in self.text:
            return self
        return replace(self, text=self.text.replace(_NAME, name), device_name=name)


def read_own_lines(folder: Path = FOLDER) -> list[OwnLine]:
    """Return every line under `folder`, kind by kind, then the pairs.

    Raises `InputError` for a line that is not of the format.
    """
    lines = []
    for label in (DIRECTED, NOT_DIRECTED):
        for path in sorted((folder / label).glob("*.txt")):
            for _, line in _lines(path):
                before, _, text = line.rpartition(" => ")
                lines.append(OwnLine(text, label, before or None, path.stem, path.stem, line))
    return lines + list(_pairs(folder / f"{_PAIRS}.txt"))


def _pairs(path: Path) -> Iterator[OwnLine]:
    first: OwnLine | None = None
    for at, (place, line) in enumerate(_lines(path)):
        mark, before, text = (line.split("\t") + ["", ""])[:3]
        wanted = "DN"[at % 2]
        if mark != wanted or not text or line.count("\t") != 2:
            raise InputError(
                f"{path}, line {place}: {line!r} must be {wanted}, the turn before and the text, "
                "between tabs; D and N take turns"
            )
        key = first.key if first and mark == "N" else line
        first = OwnLine(text, _LABELS[mark], before or None, _PAIRS, f"pair {at // 2 + 1}", key)
        yield first


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are no comments, with their numbers."""
    for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield place, line.strip()


def own_lines() -> list[TextItem]:
    """Return the lines as the corpus speaks them, those with a name in several ones."""
    items = []
    for line in read_own_lines():
        rng = random.Random(line.key)
        for name in rng.sample(names("names", line.fold), _NAMED_TIMES):
            said = line.called(name)
            text = normalize(said.text)
            if text is not None and speakable(text):
                source = f"own_{'named' if said.device_name else 'lines'}_{said.label}"
                items.append(
                    TextItem(
                        text,
                        said.label,
                        source,
                        LICENSE,
                        said.fold,
                        device_name=said.device_name,
                        before=said.before,
                    )
                )
            if said.device_name is None:
                break
    return items


def write_own_lines(out: Path) -> tuple[Path, int]:
    """Write the lines into the folder `out`; return the file and how many they are.

    `{name}` stays: a training puts names of its own there.
    """
    rows = [
        {
            "text": line.text,
            "label": line.label,
            "before": line.before,
            "kind": line.kind,
            "conv": line.conv,
            "source": "turbo_stream",
            "license": LICENSE,
        }
        for line in read_own_lines()
    ]
    out.mkdir(parents=True, exist_ok=True)
    target = out / "own_lines.jsonl.gz"
    partial = target.with_suffix(".part")
    with gzip.open(partial, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    partial.rename(target)
    return target, len(rows)


@click.command("tools.corpus.own_lines")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(out: Path) -> None:
    """Write the project's own lines as texts of both classes."""
    target, lines = write_own_lines(out)
    print(f"{target}: {lines} lines")


if __name__ == "__main__":
    sys.exit(run_command(main))
