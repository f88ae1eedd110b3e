"""Fits the end-of-turn head to windows of frozen frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.end_of_turn import EndOfTurn
from training.end_of_turn.pauses import Kind
from training.fitting.finite import check_finite, gradient_norm, stopping

FALSE_ALARMS = 0.15
"""Share of the inner pauses that may sound finished, at the threshold that is reported."""


@dataclass(frozen=True)
class HeadConfig:
    """How the head is trained."""

    hidden: int = 64
    """Width of its inner layer."""

    steps: int = 600
    """Optimizer steps."""

    batch: int = 128
    """Pauses a step."""

    rate: float = 1e-3
    """Peak learning rate."""

    decay: float = 0.05
    """Weight decay."""

    smoothing: float = 0.05
    """How far the targets are from 0 and 1: some pauses do sound finished, and some ends do not."""

    teacher_share: float = 0.7
    """How much of the target is the teacher's answer, where there is one."""

    breaks_share: float = 0.5
    """Share of the examples of speech broken off among those that are not finished."""

    seed: int = 0
    """Seed of everything random."""


@dataclass(frozen=True)
class Heard:
    """One pause as the head sees it."""

    windows: NDArray[np.float16]
    """`[W * F]`, of `EndOfTurn.windows`."""

    kind: Kind
    collection: str
    group: str

    channel: bool
    """Heard through a random channel, not as recorded."""

    taught: float | None = None
    """Probability of an end by a teacher; None without one."""


def _shares(heard: Sequence[Heard], breaks_share: float) -> NDArray[np.float64]:
    """Return how often each is drawn: ends as often as the rest.

    Within a kind, a collection counts by the root of its size, so that a large one does not drown
    the others.
    """
    share = np.zeros(len(heard))
    kinds = np.array([item.kind for item in heard])
    collections = np.array([item.collection for item in heard])
    weights = {"end": 1.0, "pause": 1.0 - breaks_share, "break": breaks_share}
    for kind, weight in weights.items():
        of_kind = kinds == kind
        for name in np.unique(collections[of_kind]):
            members = of_kind & (collections == name)
            share[members] = members.sum() ** -0.5
        if of_kind.any():
            share[of_kind] *= weight / share[of_kind].sum()
    return share / share.sum()


def _target(item: Heard, config: HeadConfig) -> float:
    own = 1.0 - config.smoothing if item.kind == "end" else config.smoothing
    if item.taught is None:
        return own
    taught = min(max(item.taught, config.smoothing), 1.0 - config.smoothing)
    return (1.0 - config.teacher_share) * own + config.teacher_share * taught


def fit_head(heard: Sequence[Heard], width: int, config: HeadConfig) -> EndOfTurn:
    """Return a head for frames of `width`, trained on `heard`, in evaluation mode."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    windows = torch.from_numpy(np.stack([item.windows for item in heard]).astype(np.float32))
    target = torch.tensor([_target(item, config) for item in heard])
    head = EndOfTurn(width, config.hidden)
    head.mean.copy_(windows.mean(0))
    head.scale.copy_(1.0 / (windows.std(0) + 1e-3))
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.rate, weight_decay=config.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=config.steps, pct_start=0.1
    )
    size = (config.steps, config.batch)
    drawn = rng.choice(len(heard), size, p=_shares(heard, config.breaks_share))
    head.train()
    parameters = list(head.parameters())
    for step, chosen in enumerate(torch.from_numpy(drawn), 1):
        logits = head.of_windows(windows[chosen])
        loss = F.binary_cross_entropy_with_logits(logits, target[chosen])
        optimizer.zero_grad()
        loss.backward()
        with stopping(f"step {step} of the head"):
            check_finite({"loss": loss, "gradient_norm": gradient_norm(parameters)})
        optimizer.step()
        schedule.step()
    with stopping("the end of the head's training"):
        check_finite(dict(head.named_parameters()))
    return head.eval()


@torch.inference_mode()
def head_logits(head: EndOfTurn, heard: Sequence[Heard]) -> NDArray[np.float64]:
    """Return the logit of each of `heard`, `[N]`."""
    windows = np.stack([item.windows for item in heard]).astype(np.float32)
    logits = head.of_windows(torch.from_numpy(windows)).double().numpy()
    with stopping("the scores of the head"):
        check_finite({"a score": logits})
    return logits


def pause_figures(finished: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict:
    """Return how well `scores` `[N]` tell ends from pauses; None where one of them is missing."""
    if finished.all() or not finished.any():
        return {"ends": int(finished.sum()), "pauses": int((~finished).sum()), "auc": None}
    bar = float(np.quantile(scores[~finished], 1.0 - FALSE_ALARMS, method="higher"))
    return {
        "ends": int(finished.sum()),
        "pauses": int((~finished).sum()),
        "auc": float(roc_auc_score(finished, scores)),
        "found_at_15_percent_false": float((scores[finished] > bar).mean()),
    }
