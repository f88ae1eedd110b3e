"""What is asked of a person before something is done that cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turbo_stream._util.shown import shown
from turbo_stream.cli.output import say
from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from turbo_stream._util.sealed_file import SealedFile


def ask(question: str, otherwise: str) -> None:
    """Go on after a yes alone; InputError, saying `otherwise`, where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InputError(otherwise)
    click.confirm(shown(question), abort=True, err=True)


def forget_file(path: Path, kind: SealedFile, content: Callable[[], str], *, yes: bool) -> None:
    """Erase a file of `kind`, after asking unless `yes`; `content` reads it and says what it holds.

    Raises:
        InputError: it is not there, is of no such kind, cannot be erased, or nobody can be asked.
    """
    from turbo_stream._util.sealed_file import erase

    if not path.exists():
        raise InputError(f"{path} is not there")
    try:
        what = content()
    except InputError:
        if not kind.looks_like_one(path):
            raise
        what = f"a damaged file of {kind.noun}"
    if not yes:
        ask(f"erase {path}, {what}?", "nobody can be asked here; give `yes` to erase it")
    erase(path)
    say(f"{path} is erased: {what}")
