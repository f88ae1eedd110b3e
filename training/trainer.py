"""The optimization: steps, looks at the development set, the best weights kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.progress import Progress
from torch import nn

from models.turbo import Turbo
from training.checkpoint import save_weights
from training.objective import Batch, ObjectiveConfig, Targets, ViewsModel, objective_terms
from training.train_config import TrainConfig


@dataclass
class History:
    """What happened on the way."""

    best_step: int = 0
    best: float = math.inf
    looks: list[dict[str, float]] = field(default_factory=list)


def _parameter_groups(views_model: ViewsModel, train: TrainConfig) -> list[dict]:
    """Give each tower's pretrained layers and the heads their rates; the fronts are frozen."""
    model = views_model.model
    model.audio_front.requires_grad_(False)
    model.text_front.requires_grad_(False)
    groups = model.parameter_groups()
    return [
        {"params": groups["text"], "lr": train.learning_rate},
        {"params": groups["audio"], "lr": train.audio_rate},
        {"params": [*groups["head"], views_model.log_scale], "lr": train.head_rate},
    ]


def _schedule(step: int, train: TrainConfig) -> float:
    """Linear warm-up, then a cosine to zero."""
    if step < train.warmup:
        return (step + 1) / train.warmup
    done = (step - train.warmup) / max(1, train.steps - train.warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def fit(
    model: Turbo,
    objective: ObjectiveConfig,
    batches: Iterator[Batch],
    evaluate: Callable[[], dict[str, float]],
    train: TrainConfig,
    folder: Path,
    *,
    quiet: bool = False,
) -> History:
    """Train `model` in place; the weights with the lowest `dev` of `evaluate` go to `folder`.

    `evaluate` is called every `evaluate_every` steps and must leave the weights as they are.
    `quiet` shows no progress: the caller has many runs to show.
    """
    device = next(model.parameters()).device
    views_model = ViewsModel(model, objective).to(device)
    groups = _parameter_groups(views_model, train)
    optimizer = torch.optim.AdamW(groups, weight_decay=train.weight_decay)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, train))
    parameters = [p for group in groups for p in group["params"]]
    history, waited = History(), 0
    running: dict[str, float] = {}
    with Progress(disable=quiet) as progress:
        task = progress.add_task("training", total=train.steps)
        for step in range(1, train.steps + 1):
            views_model.train()
            batch = next(batches)
            with torch.autocast(device.type, torch.bfloat16, enabled=train.bf16):
                views = views_model(batch)
            terms = objective_terms(views, Targets.of(batch), objective)
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            scheduler.step()
            for name, value in terms.items():
                old = running.get(name, value.item())
                running[name] = 0.95 * old + 0.05 * value.item()
            progress.update(task, advance=1, description=f"loss {running['loss']:.3f}")
            if step % train.evaluate_every and step != train.steps:
                continue
            look = {"step": step, **running, "scale": views_model.scale.item(), **evaluate()}
            history.looks.append(look)
            if not quiet:
                progress.console.print({k: round(v, 4) for k, v in look.items()})
            waited += 1
            if look["dev"] < history.best:
                history.best, history.best_step, waited = look["dev"], step, 0
                save_weights(folder, model)
            if waited >= train.patience:
                break
    return history
