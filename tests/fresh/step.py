"""What is to be done with each line of a block that a page shows."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import click

from tests.support.pages import CodeBlock
from tools.reference.commands import programs

Kind = Literal["run", "microphone", "listen", "serve", "python", "install", "skip", "end"]

_ELSEWHERE = {
    ".": "the environment is there",
    "apt": "installs for the whole system",
    "apt-get": "installs for the whole system",
    "arecord": "needs a sound card",
    "cd": "the folder is there",
    "docker": "needs a daemon",
    "ffmpeg": "is a program of others",
    "git": "the wheel is there",
    "install": "writes to /etc",
    "journalctl": "needs systemd",
    "npm": "is a program of others",
    "python3": "the environment is there",
    "pytest": "needs a checkout",
    "sh": "needs a checkout",
    "ssh": "needs another machine",
    "sudo": "is for the administrator",
    "systemctl": "needs systemd",
}

_CHECKOUT = re.compile(r"-m (tools|training)\b|pip install .*(-e |train\])|^deploy/|deploy/token")
_TO_FILL_IN = re.compile(r"\b(?!RUNS\b|GET\b|POST\b)[A-Z]{3,}\b|\.\.\.|example\.org|\bmy-command\b")


@dataclass(frozen=True)
class Step:
    """One command, or one program in Python."""

    where: str
    text: str
    kind: Kind

    why: str = ""
    """It is skipped."""


def steps(block: CodeBlock) -> Iterator[Step]:
    """Yield the steps of a block; what is left out says why."""
    where = str(block)
    if block.not_run:
        yield Step(where, block.code.strip(), "skip", "the page says why it is not run")
    elif block.language == "python":
        yield Step(where, block.code, "python")
    else:
        for line in block.code.replace("\\\n", " ").splitlines():
            for command in re.sub(r"(^|\s)#.*", "", line).split("&&"):
                if text := " ".join(command.replace(".venv/bin/", "").split()):
                    yield Step(where, text, *_kind(text))


def _kind(text: str) -> tuple[Kind, str]:
    words = shlex.split(text)
    if _CHECKOUT.search(text):
        return "skip", "needs a checkout"
    if words[0] in _ELSEWHERE:
        return "skip", _ELSEWHERE[words[0]]
    if _TO_FILL_IN.search(text):
        return "skip", "has something to fill in"
    if words[:2] == ["turbo-models", "download"]:
        return "skip", "needs the Hugging Face Hub"
    if words[0] == "pip":
        return "install", ""
    if words[0] == "turbo-serve":
        return "serve", ""
    if words[0] == "turbo-doctor" and _given(words)["listen_s"]:
        return "listen", ""
    if words[0] == "turbo-listen" and _given(words)["source"] is None:
        listing = _given(words).get("list_devices")
        return ("run" if listing else "microphone"), ""
    if words[:2] in (["turbo-tune", "house"], ["turbo-tune", "name"], ["turbo-tune", "threshold"]):
        given = _given(words)
        heard = given.get("recordings") or given.get("sayings") or given.get("directed_files")
        return ("run", "") if heard else ("skip", "asks a person to speak")
    return "run", ""


def _given(words: list[str]) -> dict[str, object]:
    """Return what a command of ours is given, by the names of its parameters."""
    command, arguments = programs()[words[0]], words[1:]
    if isinstance(command, click.Group):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    context = click.Context(command, info_name=words[0], resilient_parsing=True)
    command.parse_args(context, list(arguments))
    return context.params
