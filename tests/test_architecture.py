"""What may import what: rooms point one way, modules in no circle, click is for commands."""

import ast
import re
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


def imported(node: ast.AST) -> list[str]:
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


def test_no_rooms_import_each_other_in_a_circle() -> None:
    """A room is a folder: `turbo_stream/live`, `training/data`, or one within these."""
    paths = {module_of(path): path for room in ROOMS for path in files(room)}
    for depth in (2, 3):

        def room_of(module: str, depth: int = depth) -> str | None:
            room = ".".join(module.split(".")[:depth])
            deep = room.count(".") == depth - 1 and (ROOT / room.replace(".", "/")).is_dir()
            return room if deep else None

        needs: dict[str, set[str]] = {}
        for module, path in paths.items():
            if (room := room_of(module)) is None:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                needed = {room_of(name) for name in imported(node) if name.split(".")[0] in ROOMS}
                needs.setdefault(room, set()).update(one for one in needed if one)
        for room, needed in needs.items():
            needed &= needs.keys() - {room}
        while free := [room for room, needed in needs.items() if not needed]:
            for room in free:
                del needs[room]
            for needed in needs.values():
                needed.difference_update(free)
        assert not needs, "in circles, or in need of one"


def test_a_private_module_is_imported_by_its_own_room_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room in ROOMS
        for path in files(room)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported(node)
        if (private := re.match(r"(turbo_stream\.[a-z]+)\.(?:[a-z]+\.)?_[a-z]", name))
        and not module_of(path).startswith(private[1])
    ]
    assert not wrong


def test_every_file_is_short_enough_to_be_read() -> None:
    long = [
        str(path.relative_to(ROOT))
        for room in (*ROOMS, "tests")
        for path in files(room)
        if path.read_text("utf-8").count("\n") > 400
    ]
    assert not long


def test_only_the_entry_points_of_training_and_tools_know_click() -> None:
    """But for what writes down the commands themselves."""
    wrong = [
        str(path.relative_to(ROOT))
        for room in ("models", "training", "tools")
        for path in files(room)
        if "import click" in path.read_text("utf-8")
        and not is_entry(path)
        and path != ROOT / "tools" / "reference" / "commands.py"
    ]
    assert not wrong
