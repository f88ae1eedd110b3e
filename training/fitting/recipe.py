"""What a run is made of, and how `key=value` arguments change it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from models.config import TurboConfig
from training.data.augment import AugmentConfig
from training.data.config import DataConfig
from training.fitting.config import TrainConfig
from training.objective.config import ObjectiveConfig
from turbo_stream.errors import InputError


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
    """Checkpoint to start from, or a folder of one a fold (`rej-0`); empty for the pretrained
    towers."""

    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: TurboConfig = field(default_factory=TurboConfig)


# For hundreds or a few thousand recordings: both encoders stay frozen, their output is kept, and a
# small body on each is trained. Labels are those of the manifests, sound is taken as it is.
_SMALL = Recipe(
    name="classify",
    data=DataConfig(shippable_only=False, variants=0, synthetic_variants=0, dev_share=0.15),
    train=TrainConfig(
        steps=400, batch=32, head_rate=1e-3, warmup=20, evaluate_every=25, patience=8
    ),
    model=TurboConfig(
        labels=(), audio_frozen=True, text_frozen=True, hidden=128, audio_pool=2, text_layers=6
    ),
)

RECIPES = {
    # Looks are cheap beside the ten steps between them, and the best step of an arm is where it is:
    # plain cross-entropy has stood for a while at step 40 and gets better for long after.
    "rej": Recipe(train=TrainConfig(evaluate_every=10, patience=50)),
    # The text tower first, at scale: a hundred thousand lines need no sound.
    "rej-text": Recipe(
        name="rej-text",
        data=DataConfig(text_share=1.0, exclude=("pico_coffee_corpus",)),
        train=TrainConfig(steps=1000, learning_rate=1e-4),
    ),
    "classify": _SMALL,
    # A package that listens goes on from its own weights (`tools.export.unpack`, then `init=`) on
    # tens or hundreds of somebody's recordings: slowly and not for long, lest it forget the rest.
    "own": Recipe(
        name="own",
        data=DataConfig(shippable_only=False, dev_share=0.2),
        train=TrainConfig(
            steps=60,
            batch=32,
            learning_rate=2e-5,
            audio_rate=5e-5,
            head_rate=1e-4,
            warmup=5,
            evaluate_every=10,
            checkpoint_every=20,
        ),
    ),
    # Emotion on open data: a manifest of `training.data.ravdess`, or any with `speaker`.
    "open-ser": replace(_SMALL, name="open-ser"),
    # Leave one session out; transcripts are those of the corpus, as in the field.
    "iemocap": replace(
        _SMALL,
        name="iemocap",
        data=replace(_SMALL.data, folds="iemocap", transcripts="gold"),
        train=replace(_SMALL.train, steps=1500, evaluate_every=75),
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
        raise InputError(f"{key}={text}: expected {expected}") from error


def _assign(config: Any, path: list[str], text: str, key: str) -> Any:
    """Return `config` with the field at `path` set from `text`."""
    names = [item.name for item in fields(config)]
    if path[0] not in names:
        raise InputError(f"{key}: unknown; allowed here: {', '.join(names)}")
    current = getattr(config, path[0])
    if is_dataclass(current) != (len(path) > 1):
        kind = "has fields of its own" if len(path) == 1 else "is a plain value"
        raise InputError(f"{key}: {path[0]} {kind}")
    if len(path) > 1:
        return replace(config, **{path[0]: _assign(current, path[1:], text, key)})
    return replace(config, **{path[0]: _convert(text, get_type_hints(type(config))[path[0]], key)})


def build_recipe(name: str, assignments: Iterable[str]) -> Recipe:
    """Return recipe `name` with `key=value` assignments applied; keys are dotted paths.

    Raises:
        InputError: the recipe or a key is unknown, or a value is of the wrong kind.
    """
    if name not in RECIPES:
        raise InputError(f"recipe {name}: unknown; allowed: {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"{assignment}: expected key=value")
        recipe = _assign(recipe, key.split("."), text, key)
    return recipe
