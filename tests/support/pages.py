"""The pages that users read, taken apart: blocks of code, commands, headings, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from tools.reference.__main__ import FOLDER
from tools.reference.__main__ import PAGES as MADE

PAGES = sorted(
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
    )
    if path.is_file()
)
"""Every page of the documentation."""

WRITTEN = [page for page in PAGES if page.parent != FOLDER or page.name not in MADE]
"""Those written by hand; the others are made from the code itself."""

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\n$")

_BEFORE = re.compile(r"^(([A-Z_]+=\S+|taskset -c \S+)\s+)+")
"""What may stand before a command: variables, and other commands that run it."""

_BETWEEN = {"&&", "||", "|", ";", "<", ">"}

_OURS = re.compile(
    r"\S*\bturbo-(?!stream\b)[a-z]+(?![\w.-])"
    r"|(python3?|torchrun) .*-m (tools|training|turbo_stream)\b"
)
"""How a command of ours begins."""


@dataclass(frozen=True)
class CodeBlock:
    """One fenced block."""

    page: str
    """Relative to the repository."""

    line: int
    """Of its first line of code, from 1."""

    language: str
    code: str

    not_run: bool
    """A comment before it says that it is not run, and why."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of ours that a page shows."""

    where: str
    program: str
    """`turbo-listen`, or the module after `python -m`."""

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where} {self.program}"


def name_of(page: Path) -> str:
    """Return the path of a page within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[CodeBlock]:
    """Return the fenced blocks of a page in these languages; in all without any."""
    text = page.read_text("utf-8")
    found = [
        CodeBlock(
            name_of(page),
            text.count("\n", 0, block.start(3)) + 1,
            block[2],
            block[3],
            bool(_NOT_RUN.search(text[: block.start()])),
        )
        for block in _FENCE.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks; lines keep their places."""
    text = page.read_text("utf-8")
    return _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def spans(page: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each piece of code within the prose, on one line."""
    text = prose(page)
    for span in re.finditer(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", text, re.DOTALL):
        if "\n\n" not in span[2]:
            yield text.count("\n", 0, span.start()) + 1, " ".join(span[2].split())


def commands(page: Path) -> Iterator[Command]:
    """Yield every command of ours in the shell blocks of a page."""
    for block in blocks(page, "", "sh"):
        joined = block.code.replace("\\\n", " ")
        for line in joined.splitlines():
            if _OURS.search(line):
                yield from _commands(str(block), re.sub(r"(^|\s)#.*", "", line))


def programs_of_others(page: Path) -> Iterator[tuple[str, str]]:
    """Yield place and program of each command in the shell blocks of a page that is not ours."""
    for block in blocks(page, "sh"):
        for line in block.code.replace("\\\n", " ").splitlines():
            # Without what a comment says of it, and what is run within another command.
            plain = re.sub(r"(^|\s)#.*|\$\(.*?\)", "", line)
            words = shlex.split(plain)
            starts = [0, *(i + 1 for i, word in enumerate(words) if word in {"&&", "||", "|", ";"})]
            for start in starts:
                while re.match(r"[A-Z_]+=", "".join(words[start : start + 1])):
                    start += 1
                command = " ".join(words[start:])
                if command and not _OURS.match(command):
                    yield str(block), words[start].rpartition("/")[2]


def spoken(page: Path) -> Iterator[Command]:
    """Yield every command of ours within the prose of a page; it may be a mere part of one."""
    for line, text in spans(page):
        if _OURS.match(_BEFORE.sub("", text)):
            yield from _commands(f"{name_of(page)}:{line}", text)


def anchors(page: Path) -> set[str]:
    """Return what `#...` may follow a link to this page, as GitHub makes it of the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE):
        text = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield path and anchor of each link of a page to another file, or to itself (no path)."""
    for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        yield path, anchor


def _commands(where: str, line: str) -> Iterator[Command]:
    """Yield the commands of ours in a line of shell."""
    try:
        words = shlex.split(_BEFORE.sub("", line))
    except ValueError as error:
        raise ValueError(f"{where}: {line!r} is no shell ({error})") from error
    while words:
        end = next((i for i, word in enumerate(words) if word in _BETWEEN), len(words))
        command, words = words[:end], words[end + 1 :]
        program = Path(command[0]).name if command else ""
        if program.startswith("turbo-"):
            yield Command(where, program, _plain(command[1:]))
        elif program in ("python", "python3", "torchrun") and "-m" in command[:-1]:
            module = command.index("-m") + 1
            if re.match(r"(tools|training|turbo_stream)\b", command[module]):
                yield Command(where, command[module], _plain(command[module + 1 :]))


def _plain(words: list[str]) -> tuple[str, ...]:
    """Return the words of a synopsis as a command: what may be left out or repeated, once."""
    plain: list[str] = []
    for word in words:
        value = re.sub(r"\.\.\.|…", "", word).strip("[]")
        if not value and plain and plain[-1].startswith("--"):
            value = "..."  # the value of an option that is given again
        if value not in ("", "OPTIONS"):
            plain.append(value)
    return tuple(plain)
