"""What may import what: rooms point one way, modules in no circle, click is for commands."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

ROOMS = ("turbo_stream", "models", "training", "tools")

FORBIDDEN = {
    "turbo_stream": {"models", "training", "tools", "tests"},
    "models": {"training", "tools", "tests"},
    "training": {"tools", "tests"},
    "tools": {"tests"},
    # The way of a batch: rows become examples and batches, batches a loss, losses a step.
    "training/data": {"training.objective", "training.fitting", "training.folds"},
    "training/objective": {"training.fitting", "training.folds"},
}
"""What a room must not import, at the top of a file or inside a function."""


def files(room: str) -> Iterator[Path]:
    return (path for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(node: ast.stmt) -> list[str]:
    """Return the modules that `node` may import: `from a import b` is `a.b`, or `a` for a name."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{name.name}" for name in node.names]
    return []


def is_entry(path: Path) -> bool:
    """Whether `python -m` runs this module."""
    return '\nif __name__ == "__main__":\n' in path.read_text("utf-8")


def test_no_room_imports_what_stands_above_it() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} imports {name}"
        for room, forbidden in FORBIDDEN.items()
        for path in files(room)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.stmt)
        for name in imported(node)
        if any(f"{name}.".startswith(f"{other}.") for other in forbidden)
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = {module_of(path): path for room in ROOMS for path in files(room)}
    needs: dict[str, set[str]] = {}
    for module, path in paths.items():
        found = set()
        for node in ast.parse(path.read_text("utf-8")).body:
            for name in imported(node):
                found.add(name if name in paths else name.rpartition(".")[0])
        needs[module] = found & paths.keys() - {module}
    while free := [module for module, needed in needs.items() if not needed]:
        for module in free:
            del needs[module]
        for needed in needs.values():
            needed.difference_update(free)
    assert not needs, "in circles, or in need of one"


def test_only_the_entry_points_of_training_and_tools_know_click() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for room in ("models", "training", "tools")
        for path in files(room)
        if "import click" in path.read_text("utf-8") and not is_entry(path)
    ]
    assert not wrong
