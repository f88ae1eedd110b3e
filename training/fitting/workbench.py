"""What many runs on the same data share: rows, tokenizer, starting weights, features."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.build import start_model
from models.config import ModelError, TurboConfig
from models.hugging_face import PREFIX
from models.transformer import EncoderLayer
from models.turbo import Turbo
from training.data.augment import Surroundings
from training.data.clip import Clip, Wave, read_wave
from training.data.config import DataConfig
from training.data.corrupt import Mishearing, bundled_dictionary, read_pronunciations
from training.data.features import FeatureStore, TextStates, front_digest
from training.data.hypotheses import read_hypotheses
from training.data.manifest import found_labels, held_text_keys, read_manifest, read_texts
from training.data.names import directed_class
from training.data.recognizer_states import load_states, with_source
from training.data.row import Row
from training.data.sampler import Sampler, variants_of
from training.fitting.checkpoint import load_model
from training.fitting.development import dev_variants
from training.fitting.distributed import pick_device
from training.fitting.recipe import Recipe
from training.fitting.scoring import Scorer
from training.folds.fold_file import read_folds
from training.folds.split import Split, draws_recordings, split_rows
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import read_manifest as read_items

_REMEMBERED = 60_000
"""Texts whose states a process keeps, of all folds together; some 10 kB each."""


def with_labels(recipe: Recipe) -> Recipe:
    """Return `recipe` with the labels of its manifests, where it names none."""
    if recipe.model.labels:
        return recipe
    labels = found_labels(Path(path) for path in recipe.data.manifest)
    return replace(recipe, model=replace(recipe.model, labels=labels))


def load_rows(recipe: Recipe) -> list[Row]:
    """Return all rows of the recipe's manifests and texts, without the excluded collections."""
    data, labels = recipe.data, recipe.model.labels
    hypotheses = read_hypotheses(Path(path) for path in data.hypotheses)
    rows: list[Row] = []
    for path in data.manifest:
        rows += read_manifest(Path(path), labels, hypotheses)
    if data.synthetic_clips:
        machine = [row for row in rows if row.synthetic][: data.synthetic_clips]
        rows = [row for row in rows if not row.synthetic] + machine
    if data.text:
        held = held_text_keys(Path(path) for path in data.held_texts)
        rows += read_texts(Path(data.text), labels, held)
    return [row for row in rows if not {row.collection, row.text_source} & set(data.exclude)]


def surroundings(recipe: Recipe) -> Surroundings:
    """Load the noises and rooms that may go into shipped weights."""

    def waves(manifest: str) -> list[Wave]:
        if not manifest:
            return []
        items = [item for item in read_items(Path(manifest)) if item.row.get("shippable", True)]
        return [read_wave(Clip(item.path, item.offset_s, item.duration_s)) for item in items]

    return Surroundings(waves(recipe.data.noise), waves(recipe.data.rooms))


@dataclass
class Workbench:
    """Loaded once, used by every run of a process on the same fold; `for_fold` is that of another.

    What words are known, to the tokenizer and to what mishears them, follows from the rows that
    the fold trains on.
    """

    recipe: Recipe
    """With labels, vocabulary and shape of the network filled in."""

    rows: list[Row]
    tokenizer: Tokenizer
    model: Turbo
    """Trained by one run after the other; `fresh_model` brings it back to the start."""

    store: FeatureStore
    text_states: TextStates | None
    device: torch.device
    _start: dict[str, Tensor]
    """The pretrained part of the trained weights, and for a checkpoint all of them."""

    _mishearing: Mishearing | None = None
    _heads: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    _others: dict[int, Workbench] = field(default_factory=dict)
    """The benches of other folds, by fold; they have one dictionary in common."""

    def for_fold(self, fold: int) -> Workbench:
        """Return the bench of a fold of the same rows: this one, or one that is kept.

        Another has the vocabulary of its own training rows, where one is pruned, or the checkpoint
        of its own, and so a model of its own; rows, sound features and the frozen sound encoder are
        common to all.
        """
        data = self.recipe.data
        self._others.setdefault(data.fold, self)
        if fold in self._others:
            return self._others[fold]
        recipe = replace(self.recipe, data=replace(data, fold=fold))
        bench = replace(self, recipe=recipe, _mishearing=None)
        own_start = bool(recipe.init) and start_folder(recipe) != start_folder(self.recipe)
        if own_start or _prunes(recipe):
            begin = _load if own_start else _begin
            recipe, model, tokenizer = begin(recipe, self.rows)
            model.audio_front = self.model.audio_front
            model.to(self.device)
            bench = replace(
                bench,
                recipe=recipe,
                model=model,
                tokenizer=tokenizer,
                text_states=_text_states(recipe, model),
                _start=_body_state(model) if own_start else _pretrained_state(model),
                _heads={},
            )
        self._others[fold] = bench
        return bench

    def fresh_model(self, recipe: Recipe) -> Turbo:
        """Return the model as a run with the seed of `recipe` starts.

        What is new, and not pretrained, is drawn by the seed; the random state is then that of the
        seed, whoever ran before.
        """
        seed = recipe.seed
        if seed not in self._heads:
            torch.manual_seed(seed)
            drawn = _body_state(_new_network(recipe.model, self.model))
            head = {name: value for name, value in drawn.items() if name not in self._start}
            self._heads[seed] = head
        self.model.load_state_dict({**self._start, **self._heads[seed]}, strict=False)
        self.model.config = recipe.model
        for name, module in self.model.named_modules():
            if isinstance(module, nn.Dropout) and not _is_front(name):
                module.p = recipe.model.dropout
            if isinstance(module, EncoderLayer) and not _is_front(name):
                module.inner_dropout = recipe.model.inner_dropout
        torch.manual_seed(seed)
        return self.model

    def scorer(self, data: DataConfig) -> Scorer:
        """Return what scores rows with what `data` gives of them."""
        store = self.store if data.sound else None
        return Scorer(self.tokenizer, store, self.text_states, data.transcripts)

    def sampler(self, recipe: Recipe, split: Split, *, seed: int) -> Sampler:
        """Return what draws the batches of a run: they follow from `seed` and its data alone."""
        lines = [row.text for row in split.train if row.audio is None and row.text]
        if lines and self._mishearing is None:
            self._mishearing = Mishearing(lines, read_pronunciations(bundled_dictionary()))
        return Sampler(
            split.train,
            self.store,
            self._mishearing,
            recipe.data,
            directed_class(recipe.model.labels),
            random.Random(seed),
            batch=recipe.train.batch,
            no_text=recipe.train.no_text,
            no_audio=recipe.train.no_audio,
            names=split.names,
        )

    def fill(self, split: Split) -> None:
        """Compute what is missing of the features that a run on `split` reads, but for its test.

        A run on lines alone draws no recording, and one without sound looks at none.
        """
        data = self.recipe.data
        drawn = split.train if draws_recordings(split.train, data) else []
        sounds = [row for row in drawn if row.audio is not None]
        wanted = [(row.clip, variant) for row in sounds for variant in variants_of(row, data)]
        heard = [row for row in split.dev if row.audio is not None and data.sound]
        wanted += [(row.clip, variant) for row in heard for variant in dev_variants(data)]
        self.store.fill(self.model.eval(), wanted)


def _is_front(name: str) -> bool:
    return name.startswith(("audio_front.", "text_front."))


def _body_state(model: Turbo) -> dict[str, Tensor]:
    return {
        name: value.detach().clone().cpu()
        for name, value in model.state_dict().items()
        if not _is_front(name)
    }


def _new_network(config: TurboConfig, like: Turbo) -> Turbo:
    """Return a network of random weights."""
    if like.config.labels != config.labels:
        raise ValueError("the labels of a workbench are those of its model")
    return Turbo(config)


def _pretrained_state(model: Turbo) -> dict[str, Tensor]:
    groups = model.parameter_groups()
    known = {id(parameter) for name in ("audio", "text") for parameter in groups[name]}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in known}
    return {name: value for name, value in _body_state(model).items() if name in names}


def _prunes(recipe: Recipe) -> bool:
    """Say whether a run has a vocabulary of its own, and not that of what it starts from."""
    model = recipe.model
    return not (recipe.init or model.text_init or model.text.startswith(PREFIX))


def _texts(rows: Iterable[Row]) -> list[str]:
    return [text for row in rows for text in (row.text, *(h.text for h in row.hypotheses)) if text]


def _begin(recipe: Recipe, rows: Sequence[Row]) -> tuple[Recipe, Turbo, Tokenizer]:
    """Return what a run starts from without a checkpoint; the recipe with its network filled in.

    The vocabulary is that of the rows it trains on: a word that only a test row says is as new to
    the tokenizer as it will be to that of any device.

    Raises:
        InputError: the rows cannot be split, or the network cannot be built.
    """
    data = replace(recipe.data, train_size=0)
    train = split_rows(rows, data, recipe.seed, recipe.model.labels).train
    try:
        config, model, tokenizer = start_model(recipe.model, _texts(train))
    except ModelError as error:
        raise InputError(str(error)) from error
    return replace(recipe, model=config), model, tokenizer


def start_folder(recipe: Recipe) -> Path:
    """Return the checkpoint of `init` that a run starts from: that of its fold, if there is one.

    A run on fold N of FILE.json starts from `init`/FILE-N. What a fold leaves out is new to such a
    start too; one for all folds has read it.
    """
    of_fold = Path(recipe.init, f"{Path(recipe.data.folds).stem}-{recipe.data.fold}")
    return of_fold if recipe.data.folds and of_fold.is_dir() else Path(recipe.init)


def _load(recipe: Recipe, _rows: Sequence[Row] = ()) -> tuple[Recipe, Turbo, Tokenizer]:
    """Return what a run starts from that has a checkpoint; the recipe with its network's shape."""
    model, tokenizer = load_model(start_folder(recipe))
    wanted = recipe.model
    shape = replace(model.config, dropout=wanted.dropout, inner_dropout=wanted.inner_dropout)
    return replace(recipe, model=shape), model, tokenizer


def _text_states(recipe: Recipe, model: Turbo) -> TextStates | None:
    """Return the memory of a frozen text front; the folds of a file share its room."""
    if not model.text_front.width:
        return None
    folds = len(read_folds(recipe.data.folds).tests) if recipe.data.folds else 1
    return TextStates(model, most=_REMEMBERED // folds)


def prepare(recipe: Recipe, device: torch.device | None = None) -> Workbench:
    """Load the data of `recipe` and the model it starts from: a checkpoint, or pretrained towers.

    `device` is where the model goes; None for that of the recipe.

    Raises:
        InputError: a manifest is not what it should be, or the network cannot be built.
    """
    torch.set_num_threads(recipe.train.threads)
    torch.manual_seed(recipe.seed)
    if recipe.init:
        recipe, model, tokenizer = _load(recipe)
        states = load_states(recipe.model, recipe.data.recognizer)
        if states is not None:
            states.check(recipe.model)
        rows = load_rows(recipe)
        start = _body_state(model)
    else:
        recipe = with_labels(recipe)
        states = load_states(recipe.model, recipe.data.recognizer)
        recipe = replace(recipe, model=with_source(recipe.model, states))
        rows = load_rows(recipe)
        recipe, model, tokenizer = _begin(recipe, rows)
        start = _pretrained_state(model)
    device = device or pick_device(recipe.device)
    model.to(device)
    store = FeatureStore(
        folder=Path(recipe.data.features or Path(recipe.out, "features")),
        front=front_digest(model.audio_front),
        augment=recipe.augment,
        surroundings=surroundings(recipe),
        cut_to_speech=recipe.model.cut_to_speech,
        states=states,
        most_frames=recipe.data.most_frames,
    )
    text_states = _text_states(recipe, model)
    return Workbench(recipe, rows, tokenizer, model, store, text_states, device, start)
