"""What a run is made of, and how `key=value` arguments change it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import click

from models.config import TurboConfig
from training.augment import AugmentConfig
from training.objective import ObjectiveConfig
from training.train_config import TrainConfig


@dataclass(frozen=True)
class DataConfig:
    """Where the data lies, and how much of each kind a batch holds."""

    manifest: tuple[str, ...] = ()
    """JSONL manifests of recordings, comma-separated."""

    hypotheses: tuple[str, ...] = ()
    """JSONL files of what recognizers heard, joined by `audio_filepath`."""

    text: str = ""
    """Folder of `*.jsonl.gz` with lines of text; empty for none."""

    held_texts: tuple[str, ...] = ()
    """Manifests with folds: the texts of their `dev` and `test` rows are not read from `text`."""

    noise: str = ""
    """Manifest of noise recordings to mix in; empty for synthetic noise only."""

    rooms: str = ""
    """Manifest of room responses; empty for simulated rooms only."""

    exclude: tuple[str, ...] = ()
    """Collections left out: `set` or `text_source` of a row, or name of a text file."""

    shippable_only: bool = True
    """Leave out rows marked `"shippable": false`."""

    features: str = ""
    """Folder that keeps the front's frames between runs; empty for one in the output folder."""

    variants: int = 3
    """Random channels a recording is seen through."""

    synthetic_variants: int = 1
    """Random channels a synthetic clip is seen through; another clip costs no more."""

    synthetic_clips: int = 0
    """Synthetic clips at most, the first of their manifests; 0 for all."""

    dev_share: float = 0.1
    """Share of the groups kept for the development set."""

    text_share: float = 0.3
    """Share of a batch that is lines of text without sound."""

    borrowed_share: float = 0.3
    """Share of the recordings (not synthetic) that are given a random line of text, and its label:
    they teach that the sound of a collection says nothing once the words are clear."""

    synthetic_share: float = 0.6
    """Share of the recordings in a batch drawn from rows that name their `engine`."""


@dataclass(frozen=True)
class Recipe:
    """One run; written beside its results as `config.json`."""

    name: str = "rej"
    """Which recipe."""

    out: str = ""
    """Folder of the results."""

    seed: int = 0
    """Seed of everything random."""

    device: str = "auto"
    """torch device; `auto` takes a GPU if there is one."""

    init: str = ""
    """Checkpoint to start from; empty for the pretrained towers."""

    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: TurboConfig = field(default_factory=TurboConfig)


RECIPES = {
    "rej": Recipe(),
    # The text tower first, at scale: a hundred thousand lines need no sound.
    "rej-text": Recipe(
        name="rej-text",
        data=DataConfig(text_share=1.0, exclude=("pico_coffee_corpus",)),
        train=TrainConfig(steps=1000, learning_rate=1e-4),
    ),
}


def _convert(text: str, kind: Any, key: str) -> Any:
    """Parse `text` as `kind`: bool, int, float, str, or a comma-separated tuple of one of them."""
    try:
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            return tuple(_convert(part, inner, key) for part in text.split(",") if part)
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if isinstance(kind, UnionType):
            kind = get_args(kind)[0]
        return kind(text)
    except (KeyError, ValueError) as error:
        expected = getattr(kind, "__name__", kind)
        raise click.BadParameter(f"{key}={text}: expected {expected}") from error


def _assign(config: Any, path: list[str], text: str, key: str) -> Any:
    """Return `config` with the field at `path` set from `text`."""
    names = [item.name for item in fields(config)]
    if path[0] not in names:
        raise click.BadParameter(f"{key}: unknown; allowed here: {', '.join(names)}")
    current = getattr(config, path[0])
    if is_dataclass(current) != (len(path) > 1):
        kind = "has fields of its own" if len(path) == 1 else "is a plain value"
        raise click.BadParameter(f"{key}: {path[0]} {kind}")
    if len(path) > 1:
        return replace(config, **{path[0]: _assign(current, path[1:], text, key)})
    return replace(config, **{path[0]: _convert(text, get_type_hints(type(config))[path[0]], key)})


def build_recipe(name: str, assignments: Iterable[str]) -> Recipe:
    """Return recipe `name` with `key=value` assignments applied; keys are dotted paths.

    Raises:
        click.BadParameter: the recipe or a key is unknown, or a value is of the wrong kind.
    """
    if name not in RECIPES:
        raise click.BadParameter(f"recipe {name}: unknown; allowed: {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise click.BadParameter(f"{assignment}: expected key=value")
        recipe = _assign(recipe, key.split("."), text, key)
    return recipe
