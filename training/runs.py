"""One training run from a recipe: data, model, optimization, calibration, figures."""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from models.build import start_model
from models.errors import ModelError
from models.turbo import Turbo
from training.augment import Surroundings
from training.batches import Sampler, collate, variants_of
from training.calibrate import fit_affine
from training.checkpoint import WEIGHTS, load_model, save_setup, write_json
from training.corrupt import Mishearing, bundled_dictionary, read_pronunciations
from training.features import FeatureStore, read_wave
from training.manifest import (
    Row,
    held_text_keys,
    read_hypotheses,
    read_manifest,
    read_texts,
    stable_share,
)
from training.metrics import bootstrap_eer, operating_points, summary
from training.recipe import Recipe
from training.scoring import AS_RECORDED, MODES, margin, score
from training.trainer import fit

DIRECTED = "directed"
_DEV_TEXTS = 1500
_LOOKED_AT = 500
"""Development recordings scored on the way (the last figures are of all), and test rows."""

_DEV_VARIANTS = (AS_RECORDED, 0)


def load_rows(recipe: Recipe) -> list[Row]:
    """Return all rows of the recipe's manifests and texts, without the excluded collections."""
    data = recipe.data
    hypotheses = read_hypotheses(Path(path) for path in data.hypotheses)
    rows: list[Row] = []
    for path in data.manifest:
        rows += read_manifest(
            Path(path), recipe.model.labels, hypotheses, shippable_only=data.shippable_only
        )
    if data.synthetic_clips:
        machine = [row for row in rows if row.synthetic][: data.synthetic_clips]
        rows = [row for row in rows if not row.synthetic] + machine
    if data.text:
        held = held_text_keys(Path(path) for path in data.held_texts)
        rows += read_texts(Path(data.text), recipe.model.labels, held)
    return [row for row in rows if not {row.collection, row.text_source} & set(data.exclude)]


def surroundings(recipe: Recipe) -> Surroundings:
    """Load the noises and rooms that may go into shipped weights."""

    def waves(manifest: str) -> list[np.ndarray]:
        if not manifest:
            return []
        path = Path(manifest)
        items = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rate = recipe.augment.sample_rate
        return [
            read_wave(path.parent / item["audio_filepath"], sample_rate=rate)
            for item in items
            if item.get("shippable", True)
        ]

    return Surroundings(waves(recipe.data.noise), waves(recipe.data.rooms))


def _start(recipe: Recipe, rows: Sequence[Row]) -> tuple[Recipe, Turbo, Tokenizer]:
    """Return the model to start from: a checkpoint's, or the pretrained towers."""
    if recipe.init:
        model, tokenizer = load_model(Path(recipe.init))
        return replace(recipe, model=model.config), model, tokenizer
    texts = [text for row in rows for text in (row.text, *(h.text for h in row.hypotheses)) if text]
    try:
        config, model, tokenizer = start_model(recipe.model, texts)
    except ModelError as error:
        raise click.UsageError(str(error)) from error
    return replace(recipe, model=config), model, tokenizer


def _fold(row: Row, recipe: Recipe) -> str:
    """Return the fold of a row: its manifest's, else by its group, the same for every seed."""
    if row.fold is not None:
        return row.fold
    return "dev" if stable_share(row.group) < recipe.data.dev_share else "train"


def _split(rows: Sequence[Row], recipe: Recipe) -> tuple[list[Row], list[Row]]:
    """Return training and development rows; of the lines of text a fixed number is enough.

    Rows of a `test` fold are in neither.
    """
    train = [row for row in rows if _fold(row, recipe) == "train"]
    dev = [row for row in rows if _fold(row, recipe) == "dev"]
    texts = [row for row in dev if row.audio is None]
    random.Random(0).shuffle(texts)
    return train, [row for row in dev if row.audio is not None] + texts[:_DEV_TEXTS]


def summarize(rows: Sequence[Row], directed: int) -> list[dict]:
    """Return how many rows of each class every collection gives, with sources and licences."""
    collections: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        kind = "text" if row.audio is None else "synthetic" if row.synthetic else "recorded"
        collections.setdefault((kind, row.collection), []).append(row)
    return [
        {
            "collection": name,
            "kind": kind,
            "directed": sum(row.label == directed for row in members),
            "not_directed": sum(row.label != directed for row in members),
            "source": "; ".join(sorted({row.source for row in members if row.source})) or None,
            "license": "; ".join(sorted({row.license for row in members if row.license})) or None,
        }
        for (kind, name), members in sorted(collections.items())
    ]


def train_run(recipe: Recipe) -> dict:
    """Train as `recipe` says; write the results to `recipe.out` and return the metrics."""
    started = time.monotonic()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.train.threads)
    rng = random.Random(recipe.seed)
    out = Path(recipe.out)
    rows = load_rows(recipe)
    recipe, model, tokenizer = _start(recipe, rows)
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(wanted if recipe.device == "auto" else recipe.device)
    model.to(device)
    save_setup(out, recipe, tokenizer)
    train_rows, dev_rows = _split(rows, recipe)
    dev_sounds = [row for row in dev_rows if row.audio is not None]
    dev_texts = [row for row in dev_rows if row.audio is None]
    test_rows = [row for row in rows if row.audio is not None and row.fold == "test"]
    test_rows = random.Random(0).sample(test_rows, min(_LOOKED_AT, len(test_rows)))

    store = FeatureStore(Path(recipe.data.features or out / "features"))
    wanted = [(row.audio, variant) for row in dev_sounds for variant in _DEV_VARIANTS]
    wanted += [
        (row.audio, variant)
        for row in train_rows
        if row.audio is not None
        for variant in range(variants_of(row, recipe.data))
    ]
    if wanted:
        store.fill(model.eval(), wanted, recipe.augment, surroundings(recipe))
    directed = recipe.model.labels.index(DIRECTED)
    lines = [row.text for row in rows if row.audio is None and row.text]
    mishearing = Mishearing(lines, read_pronunciations(bundled_dictionary())) if lines else None
    sampler = Sampler(train_rows, store, mishearing, recipe.data, recipe.train, directed, rng)

    looked_at = random.Random(0).sample(dev_sounds, min(_LOOKED_AT, len(dev_sounds)))

    def evaluate() -> dict[str, float]:
        found = {}
        for mode in MODES if dev_sounds else ():
            logits = score(model, tokenizer, store, looked_at, mode=mode, variant=0)
            labels = np.array([row.label == directed for row in looked_at])
            found[mode] = summary(labels, margin(logits, directed))["eer"]
        if dev_texts and not dev_sounds:
            logits = score(model, tokenizer, None, dev_texts, mode="text")
            labels = np.array([row.label == directed for row in dev_texts])
            found["lines"] = summary(labels, margin(logits, directed))["eer"]
        return {**found, "dev": float(np.mean(list(found.values())))}

    width = model.audio_front.width
    batches = sampler.batches(lambda examples: collate(examples, tokenizer, width, device))
    history = fit(model, recipe.objective, batches, evaluate, recipe.train, out)
    model.load_state_dict(load_file(out / WEIGHTS))

    metrics = {
        "rows": len(train_rows),
        "data": summarize(train_rows, directed),
        "dev_rows_with_sound": len(dev_sounds),
        "best_step": history.best_step,
        "seconds": round(time.monotonic() - started, 1),
        "environment": {"torch": torch.__version__, "python": platform.python_version()},
        "looks": history.looks,
    }
    if dev_sounds:
        metrics |= _final_figures(model, tokenizer, store, dev_sounds, directed)
    if test_rows:
        wanted = [(row.audio, AS_RECORDED) for row in test_rows if row.audio is not None]
        store.fill(model, wanted, recipe.augment, Surroundings())
        metrics["test"] = figures(model, tokenizer, store, test_rows, directed)
    write_json(out / "metrics.json", metrics)
    return metrics


def figures(
    model: Turbo, tokenizer: Tokenizer, store: FeatureStore, rows: list[Row], directed: int
) -> dict[str, dict]:
    """Return the error rates of `rows` as recorded, from sound and text and from each alone."""
    truth = np.array([row.label == directed for row in rows])
    groups = np.array([row.group for row in rows])
    found = {}
    for mode in MODES:
        scores = margin(score(model, tokenizer, store, rows, mode=mode), directed)
        found[mode] = {
            **summary(truth, scores),
            "eer_ci95": bootstrap_eer(truth, scores, groups),
        }
    return found


def _final_figures(
    model: Turbo, tokenizer: Tokenizer, store: FeatureStore, rows: list[Row], directed: int
) -> dict:
    """Calibrate on the development set as recorded and in a channel; report its figures."""
    logits = np.concatenate(
        [score(model, tokenizer, store, rows, variant=variant) for variant in _DEV_VARIANTS]
    )
    classes = np.tile([row.label for row in rows], len(_DEV_VARIANTS))
    calibration = fit_affine(logits, classes)
    probability = calibration(logits)[:, directed]
    labels = classes == directed
    return {
        "calibration": {
            "method": "affine",
            "scale": calibration.scale,
            "bias": list(calibration.bias),
        },
        "operating_points": operating_points(labels, probability),
        "development": figures(model, tokenizer, store, rows, directed),
    }
