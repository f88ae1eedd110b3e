"""The training steps that are compared."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from models.turbo import Turbo
from tools.measurements.training_step.shapes import Material
from training.data.batch import Batch
from training.fitting.config import TrainConfig
from training.fitting.trainer import optimizer_of
from training.objective.config import ObjectiveConfig, Part, select_arm
from training.objective.grad_cache import Gradients
from training.objective.objective import Views, ViewsModel
from training.objective.part_gradients import part_gradients

Step = Callable[[], object]

STEPS = {
    "ce": "one view, cross-entropy; frames from the feature store",
    "turbo": "two views in one forward, all terms, a pass for each part; frames from the store",
    "ce_waves": "one view, cross-entropy; frames computed from the waveform",
    "turbo_waves": "as turbo; frames computed from the waveform, once",
    "naive": "as turbo, with a forward for each view; frames computed for each view",
}


class TwoForwards(nn.Module):
    """Both views as a straightforward implementation makes them: one after the other."""

    def __init__(self, one_view: ViewsModel) -> None:
        super().__init__()
        self.one_view = one_view

    def forward(self, batch: Batch, part: Part | None = None) -> Views:
        """Return two views of `batch`."""
        first, second = (self.one_view(batch, part) for _ in range(2))
        logits, sound, words = map(torch.cat, zip(first[:3], second[:3], strict=True))
        return Views(logits, sound, words, first.scale)


@torch.no_grad()
def from_waves(model: Turbo, material: Material) -> Batch:
    """Return the batch with frames that are computed now."""
    frames, mask = model.audio_front(material.waveform, material.length)
    return replace(material.batch, frames=frames, frame_mask=mask)


def make_steps(
    model: Turbo, material: Material, *, bf16: bool
) -> tuple[dict[str, Step], dict[str, Step]]:
    """Return every whole step of `STEPS`, and its forward and backward passes alone.

    All train the same weights by the same optimizer, and as a run does: a step with contrastive
    terms takes a pass for each part of its loss.
    """
    turbo = ObjectiveConfig()
    plain = select_arm(turbo, "ce")
    both, one = ViewsModel(model, turbo).train(), ViewsModel(model, plain).train()
    # One view that still projects: the naive way needs it for its contrastive terms.
    half = ViewsModel(model, replace(turbo, views=1, in_modal=0.0)).train()
    for other in (one, half):
        other.log_scale = both.log_scale
    train = TrainConfig()
    optimizer, _ = optimizer_of(both, train)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    made: dict[str, tuple[nn.Module, ObjectiveConfig, int]] = {
        "ce": (one, plain, 0),
        "turbo": (both, turbo, 0),
        "ce_waves": (one, plain, 1),
        "turbo_waves": (both, turbo, 1),
        "naive": (TwoForwards(half), turbo, 2),
    }

    def passes(views_model: nn.Module, objective: ObjectiveConfig, fronts: int) -> Step:
        gradients = Gradients(views_model, objective, bf16=bf16)

        def inner() -> None:
            batch = material.batch
            for _ in range(fronts):
                batch = from_waves(model, material)
            part_gradients(gradients, [batch], parameters, train.clip)

        return inner

    def whole(inner: Step) -> Step:
        def step() -> None:
            inner()
            optimizer.step()

        return step

    inner = {name: passes(*parts) for name, parts in made.items()}
    return {name: whole(step) for name, step in inner.items()}, inner
