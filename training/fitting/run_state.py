"""Where a run stands, on disk: `last.pt`, from which it goes on as if never interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import click
import torch

LAST = "last.pt"

Identity = Mapping[str, Any]
"""What makes two runs the same: nested fields of plain values."""


class Position(Protocol):
    """What draws batches and can be brought back to where it stood."""

    def state(self) -> dict[str, Any]:
        """Return the place between two batches, in plain values and tensors."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`: the next batch is the one that would have come."""


def _flat(fields: Any, prefix: str = "") -> dict[str, str]:
    """Return dotted names and JSON values of nested `fields`."""
    if not isinstance(fields, Mapping):
        return {prefix.rstrip("."): json.dumps(fields)}
    found: dict[str, str] = {}
    for name, value in fields.items():
        found |= _flat(value, f"{prefix}{name}.")
    return found


def save_state(folder: Path, identity: Identity, state: dict[str, Any]) -> None:
    """Write `state` as `last.pt`: whoever is killed meanwhile leaves the one before."""
    partial = folder / f"{LAST}.part"
    torch.save({"identity": _flat(identity), **state}, partial)
    partial.replace(folder / LAST)


def load_state(folder: Path, identity: Identity) -> dict[str, Any] | None:
    """Return the state in `folder`, on the CPU, or None where there is none.

    Raises:
        click.UsageError: it is that of another run.
    """
    path = folder / LAST
    if not path.exists():
        return None
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    theirs, ours = state.pop("identity"), _flat(identity)
    names = sorted(theirs.keys() | ours.keys())
    changes = [
        f"{name} was {theirs.get(name, 'not there')} and is {ours.get(name, 'not there')}"
        for name in names
        if theirs.get(name) != ours.get(name)
    ]
    if changes:
        more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
        raise click.UsageError(
            f"{path} is of another run: {'; '.join(changes[:3])}{more}; take another out=DIR, or "
            "train.resume=false to begin anew"
        )
    return state
