"""How a benchmark shows what it found: JSON for programs, a table for people, a picture."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from rich.text import Text

Progress = Callable[[str, float], None]
"""Is told what is being measured, and which share of all has been."""


def show(title: str, found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print `found` on standard output: as JSON, or as tables.

    One table has a line for every single figure; a list of rows becomes a table of its own.
    """
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    singles = Table(title=_cell(title), show_header=False)
    for name, value in _leaves(found):
        if not _is_rows(value):
            singles.add_row(_cell(name), _cell(_text(value)))
    console.print(singles)
    for name, value in _leaves(found):
        if _is_rows(value):
            rows = [dict(_leaves(row)) for row in value]
            table = Table(title=_cell(name))
            for heading in rows[0]:
                # Wrapped between its words rather than shortened.
                words = heading.replace("_", " ").replace(".", " ")
                table.add_column(_cell(words), justify="right")
            for row in rows:
                table.add_row(*(_cell(_text(value)) for value in row.values()))
            console.print(table)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show on standard error how far a benchmark is, and yield what it tells that to."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=1.0)

        def tell(what: str, share: float) -> None:
            bars.update(task, description=escape(shown(what)), completed=share)

        yield tell


def check_plot(path: Path | None) -> None:
    """Raise `InputError` before the measurement if its picture could not be drawn after it."""
    if path is None:
        return
    from importlib.util import find_spec

    if path.suffix.lower() != ".png":
        raise InputError(f"`plot` is {path}; plots are PNG, give a name that ends in .png")
    if find_spec("matplotlib") is None:
        raise InputError("`plot` needs matplotlib: pip install 'turbo-listen[eval]'")


def write_plot(path: Path | None, draw: Callable[[], bytes]) -> None:
    """Write what `draw` returns to `path`, if there is one."""
    if path is None:
        return
    from turbo_stream._util.files import write_bytes

    write_bytes(path, draw())


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what is no mapping in `value`, each under the dotted path of its keys."""
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _cell(text: str) -> "Text":
    from rich.text import Text

    # As `Text`: a name may hold what rich takes for markup.
    return Text(shown(text))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return "-" if value is None else str(value)


PERCENTILES = (50, 95, 99)


def distribution(values: Sequence[float]) -> dict[str, float | int | None]:
    """Return `n`, `p50`, `p95`, `p99` (by linear interpolation) and `max`; None without values."""
    if not len(values):
        return {"n": 0, **{f"p{p}": None for p in PERCENTILES}, "max": None}
    array = np.asarray(values, np.float64)
    found = np.percentile(array, PERCENTILES)
    return {
        "n": len(array),
        **{f"p{p}": float(value) for p, value in zip(PERCENTILES, found, strict=True)},
        "max": float(array.max()),
    }
