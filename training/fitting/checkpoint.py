"""A run on disk: its weights, configuration and tokenizer, and the state it goes on from."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from models.config import TurboConfig
from models.turbo import Turbo
from training.fitting.recipe import Recipe
from turbo_stream._util.unicode_text import json_text
from turbo_stream.errors import InputError

WEIGHTS = "best.safetensors"

LAST = "last.pt"

Identity = Mapping[str, Any]
"""What makes two runs the same: nested fields of plain values."""


class Position(Protocol):
    """What draws batches and can be brought back to where it stood."""

    def state(self) -> dict[str, Any]:
        """Return the place between two batches, in plain values and tensors."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`: the next batch is the one that would have come."""


def write_json(path: Path, content: object) -> None:
    """Write `content` under a temporary name, then rename."""
    partial = path.with_suffix(".part")
    partial.write_text(json_text(content, indent=2) + "\n", "utf-8")
    partial.rename(path)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write `tensors` under a temporary name, then rename."""
    partial = path.with_name(f"{path.name}.part")
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    save_file(kept, partial)
    partial.rename(path)


def save_weights(folder: Path, model: Turbo) -> None:
    """Write the weights of `model` as `best.safetensors`."""
    write_tensors(folder / WEIGHTS, model.state_dict())


def save_setup(folder: Path, recipe: Recipe, tokenizer: Tokenizer) -> None:
    """Write `config.json` and `tokenizer.json`, which the weights are of no use without."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", asdict(recipe))
    tokenizer.save(str(folder / "tokenizer.json"))


def load_model(folder: Path) -> tuple[Turbo, Tokenizer]:
    """Return the model and tokenizer of a training folder; InputError for weights of NaN."""
    stored = json.loads((folder / "config.json").read_text("utf-8"))["model"]
    stored["labels"] = tuple(stored["labels"])
    model = Turbo(TurboConfig(**stored))
    weights = load_file(folder / WEIGHTS)
    if bad := [name for name, value in weights.items() if not value.isfinite().all()]:
        raise InputError(
            f"{folder / WEIGHTS}: {bad[0]} is not finite, so the run went astray; train again"
        )
    model.load_state_dict(weights)
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


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
        InputError: it is that of another run, or damaged.
    """
    path = folder / LAST
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        names = sorted(state["identity"].keys() | _flat(identity).keys())
    except Exception as error:  # a damaged file fails in any of its readers
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} is damaged ({reason:.200}); delete it, or give train.resume=false, to begin "
            "anew"
        ) from error
    theirs, ours = state.pop("identity"), _flat(identity)
    changes = [
        f"{name} was {theirs.get(name, 'not there')} and is {ours.get(name, 'not there')}"
        for name in names
        if theirs.get(name) != ours.get(name)
    ]
    if changes:
        more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
        raise InputError(
            f"{path} is of another run: {'; '.join(changes[:3])}{more}; take another out=DIR, or "
            "train.resume=false to begin anew"
        )
    return state
