"""One training run from a recipe: data, model, optimization, calibration, figures."""

import math
import random
import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.turbo import Turbo
from training.data.batch import collate
from training.data.features import AS_RECORDED
from training.data.names import directed_class
from training.data.row import Row
from training.fitting.checkpoint import Identity, load_state, save_setup, write_json
from training.fitting.development import Development, dev_variants, figures, given_modes
from training.fitting.distributed import Rank, this_rank
from training.fitting.environment import Origin, describe
from training.fitting.finite import check_finite, stopping
from training.fitting.metrics import fit_affine, operating_points
from training.fitting.recipe import Recipe
from training.fitting.trainer import History, fit
from training.fitting.workbench import Workbench, prepare, start_folder
from training.folds.split import Split, split_rows
from turbo_stream._util.folder_lock import FolderLock

_PARTS = re.compile(r"; (?=[a-z]+: )")
"""Between the licences of a clip's parts: `text: ...; voice: ...; noise: ...`."""

_TESTED = 500
"""Recordings of a manifest's own test fold that a run scores; those of a fold file are all."""


def identity(recipe: Recipe) -> Identity:
    """Return what two runs have in common of which one may go on from the other's checkpoint."""
    fields = asdict(recipe)
    fields = {key: value for key, value in fields.items() if key not in ("out", "device")}
    free = {
        "train": ("threads", "resume", "checkpoint_every", "tensorboard"),
        "data": ("features", "recognizer"),
    }
    for part, names in free.items():
        fields[part] = {key: value for key, value in fields[part].items() if key not in names}
    return fields


def fit_model(
    bench: Workbench,
    recipe: Recipe,
    split: Split,
    folder: Path | None,
    *,
    rank: Rank | None = None,
    quiet: bool = False,
) -> History:
    """Train the model of `bench` on `split`; leave in it the weights that the looks chose.

    `recipe` may differ from that of the bench in seed, objective, optimization and dropout, and in
    which rows it draws. Weights, checkpoints and curves are written to `folder`, if there is one.
    """
    rank = rank or Rank(0, 1, bench.device)
    model = bench.fresh_model(recipe)
    labels = recipe.model.labels
    development = Development(split, bench.scorer(recipe.data), recipe.data, labels)
    width = model.audio_front.width
    sampler = bench.sampler(recipe, split, seed=rank.seed(recipe.seed))
    batches = sampler.batches(
        lambda examples: collate(
            examples,
            bench.tokenizer,
            width,
            bench.device,
            bench.text_states,
            max_tokens=recipe.model.max_tokens,
        )
    )
    return fit(
        model,
        recipe.objective,
        batches,
        lambda: development(model),
        recipe.train,
        folder,
        position=sampler,
        identity=identity(recipe),
        rank=rank,
        quiet=quiet,
    )


def test_figures(
    bench: Workbench, recipe: Recipe, rows: Sequence[Row], *, interval: bool = True
) -> dict[str, Any]:
    """Return the figures of test rows, as recorded, with the model as it stands."""
    logits = test_logits(bench, recipe, rows)
    return figures(logits, rows, recipe.model.labels, interval=interval)


def test_logits(bench: Workbench, recipe: Recipe, rows: Sequence[Row]) -> dict[str, NDArray]:
    """Return by mode the logits `[N, K]` of test rows, as recorded, with the model as it stands."""
    if recipe.data.sound:
        bench.store.fill(bench.model.eval(), [(row.clip, AS_RECORDED) for row in rows])
    modes = given_modes(rows, recipe.data)
    logits = bench.scorer(recipe.data)(bench.model, rows, modes=modes)
    if len(modes) == 1:  # without any words, or any sound, the two are one
        logits["fused"] = logits[modes[0]]
    return logits


def _licences(rows: Sequence[Row]) -> str | None:
    """Return the licences of `rows`, each part of them once: a clip names those of all it holds."""
    parts = {part for row in rows if row.license for part in _PARTS.split(row.license)}
    return "; ".join(sorted(parts)) or None


def summarize(rows: Sequence[Row], labels: Sequence[str]) -> list[dict]:
    """Return how many rows of each class every collection gives, with sources and licences."""
    collections: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        kind = "text" if row.audio is None else "synthetic" if row.synthetic else "recorded"
        collections.setdefault((kind, row.collection), []).append(row)
    return [
        {
            "collection": name,
            "kind": kind,
            "rows": {
                label: sum(row.label == index for row in members)
                for index, label in enumerate(labels)
            },
            "source": "; ".join(sorted({row.source for row in members if row.source})) or None,
            "license": _licences(members),
        }
        for (kind, name), members in sorted(collections.items())
    ]


def train_run(recipe: Recipe) -> dict:
    """Train as `recipe` says; write the results to `recipe.out` and return the metrics.

    Under `torchrun` every rank calls this, and the first alone writes and has metrics.

    Raises:
        InputError: the data are not what they should be, the network cannot be built, or `out`
            holds another run's checkpoint or is written by one that has not ended.
        NotFiniteError: a number that the training goes by is NaN or infinite.
    """
    with this_rank(recipe.device) as rank:
        out = Path(recipe.out)
        with FolderLock(out, "the folder") if rank.first else nullcontext():
            return _train_run(recipe, out, rank)


def _train_run(recipe: Recipe, out: Path, rank: Rank) -> dict:
    started = time.monotonic()
    bench = prepare(recipe, rank.device)
    recipe = bench.recipe
    labels = recipe.model.labels
    split = split_rows(bench.rows, recipe.data, recipe.seed, labels)
    if recipe.train.resume:  # refused before anything of the other run is overwritten
        load_state(out, {**identity(recipe), "ranks": rank.count})
    if rank.first:
        save_setup(out, recipe, bench.tokenizer)
        if recipe.init and (origin := Origin.read(start_folder(recipe))):
            origin.write(out)
    with rank.first_alone():
        bench.fill(split)
    history = fit_model(bench, recipe, split, out, rank=rank)
    if not rank.first:
        return {}
    sounds = [row for row in split.dev if row.audio is not None]
    metrics = {
        "labels": list(labels),
        "rows": len(split.train),
        "data": summarize(split.train, labels),
        "dev_rows_with_sound": len(sounds),
        "best_step": history.best_step,
        "steps": history.steps,
        "seconds": round(time.monotonic() - started, 1),
        "seconds_of_steps": round(history.seconds, 1),
        "seed": recipe.seed,
        "environment": describe(),
        "looks": [
            {name: value if math.isfinite(value) else None for name, value in look.items()}
            for look in history.looks
        ],
    }
    if sounds:
        with stopping("the calibration"):
            metrics |= _final_figures(bench, bench.model, sounds)
    if split.test:
        chosen = split.test
        if not recipe.data.folds:
            chosen = random.Random(0).sample(chosen, min(_TESTED, len(chosen)))
        with stopping("the test"):
            metrics["test"] = test_figures(bench, recipe, chosen)
    write_json(out / "metrics.json", metrics)
    return metrics


def _final_figures(bench: Workbench, model: Turbo, rows: list[Row]) -> dict:
    """Calibrate on the development set as recorded and in a channel; report its figures."""
    data, labels = bench.recipe.data, bench.recipe.model.labels
    scorer = bench.scorer(data)
    variants = dev_variants(data)
    logits = np.concatenate(
        [scorer(model, rows, variant=variant, modes=("fused",))["fused"] for variant in variants]
    )
    truth = np.tile([row.label for row in rows], len(variants))
    calibration = fit_affine(logits, truth)
    check_finite({"scale": calibration.scale, "bias": np.array(calibration.bias)})
    found: dict[str, Any] = {
        "calibration": calibration.described(),
        "development": test_figures(bench, bench.recipe, rows),
    }
    directed = directed_class(labels)
    if directed is not None:
        probability = calibration(logits)[:, directed]
        found["operating_points"] = operating_points(truth == directed, probability)
    return found
