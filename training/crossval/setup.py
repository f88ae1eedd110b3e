"""What all runs of a journal have in common; another configuration may not be mixed in."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.fitting.recipe import Recipe
from training.folds.fold_file import FoldFile
from turbo_stream._util.files import write_json
from turbo_stream.errors import InputError

_FREE = (
    *("out", "seed", "device", "data.features", "data.fold", "data.folds", "train.threads"),
    *("data.train_size", "data.transcripts"),
)
"""Keys that may differ: they say where and on what a run is made, or stand in its own key."""


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{prefix}.{key}" if prefix else key)
    return found


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` through JSON, so that a tuple equals the list it is read back as."""
    return json.loads(json.dumps(config))


def describe(recipe: Recipe, folds: FoldFile, tune: Any) -> dict[str, Any]:
    """Return everything that the figures of a run depend on, but for its own key.

    `tune` is the number of trials, or the settings by arm that were given.
    """
    config = {key: value for key, value in _flat(asdict(recipe)).items() if key not in _FREE}
    files = (*recipe.data.manifest, *recipe.data.hypotheses)
    for path in files:
        config[f"content of {path}"] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return _plain({**config, "folds": asdict(folds), "tune": tune})


def check_setup(out: Path, setup: dict[str, Any]) -> None:
    """Write `setup` to `out`, or compare it with what is there.

    Raises:
        InputError: the folder holds runs of another setup, or the file is damaged.
    """
    path = out / "setup.json"
    if not path.exists():
        write_json(path, setup)
        return
    # A setting that did not exist yet had the effect that its default has now.
    try:
        before = {**_plain(_flat(asdict(Recipe()))), **json.loads(path.read_text("utf-8"))}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); give another out=, or delete it if the runs are of this "
            "configuration"
        ) from error
    for key in sorted({*before, *setup} - set(_FREE)):
        if before.get(key) != setup.get(key):
            raise InputError(
                f"{out} holds runs with {key} = {before.get(key)!r:.60}, now it is "
                f"{setup.get(key)!r:.60}; give another out=, or the same configuration"
            )
