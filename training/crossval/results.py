"""Writes `results/<recipe>/`: table.json, table.md, plots, and what they were made from."""

import gzip
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.crossval.cell import Cell, Journal
from training.crossval.page import draw, page
from training.crossval.table import build_table
from training.fitting.environment import describe
from training.folds.fold_file import FoldFile
from turbo_stream._util.files import write_bytes, write_json, write_text
from turbo_stream.errors import InputError

CONTRACT = ("ce", "ce_2view", "in_modal", "cross_modal", "turbo", "r_drop")
"""The arms of a full table; whichever is not run is listed as such."""


def without_folders(value: Any) -> Any:
    """Return `value` with every absolute path in it cut to its last part.

    Tables are published, and where a file lay on somebody's machine says nothing to anybody else.
    """
    if isinstance(value, str):
        return re.sub(r"(?<![^\s:])/(?:[^/\s]+/)+", "", value)
    if isinstance(value, list):
        return [without_folders(item) for item in value]
    if isinstance(value, dict):
        return {without_folders(key): without_folders(item) for key, item in value.items()}
    return value


def _public(value: Any) -> Any:
    """Return `value` with absolute paths cut to their names: where files lay is nobody's matter."""
    if isinstance(value, dict):
        return {_public(key): _public(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_public(item) for item in value]
    if not isinstance(value, str):
        return value
    prefix = "content of " if value.startswith("content of ") else ""
    path = Path(value.removeprefix(prefix))
    return prefix + path.name if path.is_absolute() else value


def _commit(environment: dict[str, Any]) -> str | None:
    name = environment["commit"]
    return f"{name} with changes" if name and environment["dirty"] else name


def _hardware(environment: dict[str, Any]) -> str:
    gpus = ", ".join(environment["gpus"])
    return gpus or f"{environment['cpu']}, {environment['cores']} cores"


def pick_metric(journal: Journal, wanted: str) -> str:
    """Return the figure to compare by: `wanted`, or what suits the labels.

    Raises:
        InputError: the runs have no such figure, or there is no run.
    """
    if not journal.results:
        raise InputError(f"{journal.path} holds no run; run the cross-validation first")
    figures = next(iter(journal.results.values()))["test"]["fused"]
    binary = figures.get("equal_error_accuracy") is not None
    name = wanted or ("equal_error_accuracy" if binary else "balanced_accuracy")
    allowed = [key for key, value in figures.items() if isinstance(value, float)]
    if name not in allowed:
        raise InputError(f"metric {name}: the runs have {', '.join(allowed)}")
    return name


def write_results(
    folder: Path,
    name: str,
    journal: Journal,
    planned: Sequence[Cell],
    *,
    folds: FoldFile,
    metric: str,
    setup: dict[str, Any],
    tuning: Path,
    scores: Path,
) -> dict[str, Any]:
    """Write everything that can be told from `journal` to `folder`; return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = describe()
    table = {
        "recipe": name,
        **build_table(journal, planned, metric, CONTRACT, scores),
        "fold_file": folds.name,
        "commit": _commit(environment),
        "hardware": _hardware(environment),
        "environment": environment,
        "config": without_folders(setup),
    }
    write_json(folder / "table.json", table)
    write_text(folder / "table.md", page(table))
    # Runs say much the same. Without a time of its own, so that the same runs are the same bytes.
    packed = gzip.compress(journal.path.read_bytes(), mtime=0)
    write_bytes(folder / "runs.jsonl.gz", packed)
    if tuning.exists():
        shutil.copyfile(tuning, folder / "tuning.json")
    if table["arms"]:
        draw(table, folder)
    return table
