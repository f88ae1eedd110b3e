"""The whole objective on a batch: both views in one forward, then the switched-on terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.turbo import Turbo
from training.losses import cross_modal, info_nce, same_key, two_view_cross_entropy


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the terms; a weight of 0 switches its term off."""

    in_modal: float = 0.1
    """Weight of InfoNCE between the two dropout views of one modality."""

    cross_modal: float = 0.1
    """Weight of InfoNCE between the views of sound and text."""

    temperature: float = 0.07
    """Where the learnable temperature starts."""

    min_temperature: float = 0.02
    """It never falls below this ..."""

    max_temperature: float = 0.5
    """... nor rises above this."""


@dataclass
class Batch:
    """One padded batch, already through the frozen audio front."""

    frames: Tensor
    """`[B, N, D]` float32."""

    frame_mask: Tensor
    """`[B, N]`; all 0 where there is no sound."""

    token_ids: Tensor
    """`[B, L]` int64."""

    token_mask: Tensor
    """`[B, L]` int64; all 0 where there is no text."""

    confidence: Tensor
    """`[B, C]`."""

    labels: Tensor
    """`[B]` int64."""

    keys: Tensor
    """`[B]` int64; equal for equal transcripts and for the same recording."""

    matched: Tensor
    """`[B]` bool; False where the text is not what the sound says."""


@dataclass
class Views:
    """Two passes of everything under independent dropout masks."""

    logits: tuple[Tensor, Tensor]
    audio: tuple[Tensor, Tensor]
    text: tuple[Tensor, Tensor]


def dual_forward(model: Turbo, batch: Batch) -> Views:
    """Return both views from one concatenated forward: row i and row i + B share their input."""
    audio = model.audio_tower(batch.frames.repeat(2, 1, 1), batch.frame_mask.repeat(2, 1))
    tokens = model.text_front(batch.token_ids, batch.token_mask)
    text = model.text_tower(
        tokens.repeat(2, *[1] * (tokens.ndim - 1)), batch.token_mask.repeat(2, 1)
    )
    logits = model.fusion(audio, text, batch.confidence.repeat(2, 1)).float()
    size = len(batch.labels)
    return Views(
        (logits[:size], logits[size:]),
        (audio.pooled[:size], audio.pooled[size:]),
        (text.pooled[:size], text.pooled[size:]),
    )


class Objective(nn.Module):
    """Cross-entropy on both fused views plus the contrastive terms; holds the temperature."""

    def __init__(self, config: ObjectiveConfig) -> None:
        super().__init__()
        self.config = config
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, clamped."""
        low = -math.log(self.config.max_temperature)
        high = -math.log(self.config.min_temperature)
        return self.log_scale.clamp(low, high).exp()

    def forward(self, model: Turbo, batch: Batch) -> dict[str, Tensor]:
        """Return every term, and their weighted sum under `loss`.

        A row without sound or without text takes no part in the terms of what it lacks.
        """
        views = dual_forward(model, batch)
        terms = {"ce": two_view_cross_entropy(views.logits, batch.labels)}
        has_audio = batch.frame_mask.amax(dim=1) > 0
        has_text = batch.token_mask.amax(dim=1) > 0
        both = has_audio & has_text & batch.matched
        total = terms["ce"]
        if self.config.in_modal:
            for name, embeddings, present, project in (
                ("in_audio", views.audio, has_audio, model.audio_projection),
                ("in_text", views.text, has_text, model.text_projection),
            ):
                first, second = (project(view[present]) for view in embeddings)
                same = same_key(batch.keys[present])
                terms[name] = info_nce(first, second, self.scale, same=same)
                total = total + self.config.in_modal * terms[name]
        if self.config.cross_modal:
            audio = tuple(model.audio_projection(view[both]) for view in views.audio)
            text = tuple(model.text_projection(view[both]) for view in views.text)
            same = same_key(batch.keys[both])
            terms["cross"] = cross_modal(audio, text, self.scale, same=same)
            total = total + self.config.cross_modal * terms["cross"]
        return {"loss": total, **terms}
