"""Heads that have met neither the collection that they judge nor what is like it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from models.end_of_turn import EndOfTurn
from models.turbo import Turbo
from tools.export.turn_head import with_head_of
from tools.measurements.end_of_turn.material import Collection
from tools.measurements.end_of_turn.pauses import Pauses
from training.fitting.checkpoint import load_model
from turbo_stream.errors import InputError

Floats = NDArray[np.float64]
Heard = Sequence[tuple[Collection, Pauses]]


def open_heads(
    held_out: Mapping[str, Path], material: Sequence[Collection], network: Turbo
) -> dict[str, EndOfTurn]:
    """Return the head of each collection of `material`: that of the run that `held_out` names.

    Raises:
        InputError: a collection has no run; its run has met it or what is like it, has another
            front than `network`, which makes what the heads read, or cannot be read.
    """
    missing = [one.name for one in material if one.name not in held_out]
    if missing:
        raise InputError(
            f"no run has been held out from {', '.join(missing)}; give one of "
            "training.end_of_turn --leave-out for each collection"
        )
    heads: dict[Path, EndOfTurn] = {}
    for one in material:
        run = held_out[one.name]
        heads[run] = heads.get(run) or _head(run, network)
        met = sorted({one.name, *one.like} & _met(run))
        if met:
            raise InputError(
                f"{run} has met {', '.join(met)}, so its head cannot judge {one.name}; give a run "
                f"without {', '.join([one.name, *one.like])}"
            )
    return {one.name: heads[held_out[one.name]] for one in material}


@torch.inference_mode()
def unmet_odds(heard: Heard, heads: Mapping[str, EndOfTurn]) -> list[Floats]:
    """Return the log-odds of each of the pauses of each collection, by its own of `heads`."""
    return [
        heads[collection.name]
        .of_windows(torch.from_numpy(pauses.windows.astype(np.float32)))
        .double()
        .numpy()
        for collection, pauses in heard
    ]


def _head(run: Path, network: Turbo) -> EndOfTurn:
    try:
        fitted, _ = load_model(run)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{run} holds no training run ({error})") from error
    if fitted.end_of_turn is None:
        raise InputError(f"{run} has no end-of-turn head; give a run of training.end_of_turn")
    head = with_head_of(network, fitted).end_of_turn
    assert head is not None
    return head


def _met(run: Path) -> frozenset[str]:
    """Return the collections that the head of `run` was fitted to."""
    found = json.loads((run / "metrics.json").read_text("utf-8"))["end_of_turn"]
    return frozenset(row["collection"] for row in found["data"])
