"""Which parameter learns how fast, and when."""

from __future__ import annotations

import math

import torch

from training.fitting.config import TrainConfig
from training.objective.objective import ViewsModel


def parameter_groups(views_model: ViewsModel, train: TrainConfig) -> list[dict]:
    """Give each tower's pretrained layers and the heads their rates; the fronts are frozen."""
    groups = views_model.model.parameter_groups()
    return [
        {"name": "text", "params": groups["text"], "lr": train.learning_rate},
        {"name": "audio", "params": groups["audio"], "lr": train.audio_rate},
        {
            "name": "head",
            "params": [*groups["head"], views_model.log_scale],
            "lr": train.head_rate,
        },
    ]


def share_of_peak(step: int, train: TrainConfig) -> float:
    """Return the rate of `step` (from 0) over its peak: linear warm-up, then a cosine to zero."""
    if step < train.warmup:
        return (step + 1) / train.warmup
    done = (step - train.warmup) / max(1, train.steps - train.warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def optimizer_of(
    views_model: ViewsModel, train: TrainConfig
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    """Return AdamW over the trained parameters and the schedule of its rates."""
    groups = parameter_groups(views_model, train)
    optimizer = torch.optim.AdamW(groups, weight_decay=train.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_peak(step, train))
    return optimizer, schedule
