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
from training.objective.config import ObjectiveConfig, select_arm
from training.objective.grad_cache import Gradients
from training.objective.objective import Views, ViewsModel

Step = Callable[[], object]

STEPS = {
    "ce": "one view, cross-entropy; frames from the feature store",
    "turbo": "two views in one forward, all terms; frames from the feature store",
    "ce_waves": "one view, cross-entropy; frames computed from the waveform",
    "turbo_waves": "two views in one forward, all terms; frames computed once",
    "naive": "two forwards, each from the waveform; all terms",
}


class FromWaves(nn.Module):
    """Views of a batch whose frames are yet to be computed: once, whatever the views."""

    def __init__(self, views_model: ViewsModel, material: Material) -> None:
        super().__init__()
        self.views_model, self.material = views_model, material

    def forward(self, batch: Batch) -> Views:
        """Return the views of `batch`."""
        front = self.views_model.model.audio_front
        with torch.no_grad():
            frames, mask = front(self.material.waveform, self.material.length)
        return self.views_model(replace(batch, frames=frames, frame_mask=mask))


class TwoForwards(nn.Module):
    """Both views as a straightforward implementation makes them: the whole network, twice."""

    def __init__(self, one_view: FromWaves) -> None:
        super().__init__()
        self.one_view = one_view

    def forward(self, batch: Batch) -> Views:
        """Return two views of `batch`."""
        first, second = (self.one_view(batch) for _ in range(2))
        logits, sound, words = map(torch.cat, zip(first[:3], second[:3], strict=True))
        return Views(logits, sound, words, first.scale)


def make_steps(
    model: Turbo, material: Material, *, bf16: bool
) -> tuple[dict[str, Step], dict[str, Step]]:
    """Return every whole step of `STEPS`, and its forward and backward passes alone.

    All train the same weights by the same optimizer.
    """
    turbo = ObjectiveConfig()
    plain = select_arm(turbo, "ce")
    both, one = ViewsModel(model, turbo).train(), ViewsModel(model, plain).train()
    # One view that still projects: the naive way needs it for its contrastive terms.
    half = ViewsModel(model, replace(turbo, views=1, in_modal=0.0)).train()
    for other in (one, half):
        other.log_scale = both.log_scale
    optimizer, _ = optimizer_of(both, TrainConfig())
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    made: dict[str, tuple[nn.Module, ObjectiveConfig]] = {
        "ce": (one, plain),
        "turbo": (both, turbo),
        "ce_waves": (FromWaves(one, material), plain),
        "turbo_waves": (FromWaves(both, material), turbo),
        "naive": (TwoForwards(FromWaves(half, material)), turbo),
    }

    def passes(views_model: nn.Module, objective: ObjectiveConfig) -> Step:
        gradients = Gradients(views_model, objective, bf16=bf16)
        return lambda: gradients.add(material.batch)

    def whole(inner: Step) -> Step:
        def step() -> None:
            optimizer.zero_grad(set_to_none=True)
            inner()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()

        return step

    inner = {name: passes(*parts) for name, parts in made.items()}
    return {name: whole(step) for name, step in inner.items()}, inner
