"""How a benchmark shows what it found: JSON for programs, a table for people, a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from turbo_stream.errors import InputError


def show(title: str, found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print `found` on standard output, as JSON or as a table of its leaves."""
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=False)
    for name, value in _leaves(found):
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def check_plot(path: Path | None) -> None:
    """Raise `InputError` before the measurement if its picture could not be drawn after it."""
    if path is None:
        return
    from importlib.util import find_spec

    if path.suffix.lower() != ".png":
        raise InputError(f"--plot is {path}; plots are PNG, give a name that ends in .png")
    if find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib: pip install 'turbo-stream[eval]'")


def write_plot(path: Path | None, draw: Callable[[], bytes]) -> None:
    """Write what `draw` returns to `path`, if there is one."""
    if path is None:
        return
    from turbo_stream.evaluation.atomic import write_bytes

    write_bytes(path, draw())


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(inner, Mapping) for inner in value):
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{prefix}.{number}")
        else:
            yield prefix, ", ".join(map(str, value))
    else:
        yield prefix, value
