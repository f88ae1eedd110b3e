"""Turbo: tells whether speech is meant for the device."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.audio_tower import AudioFront, AudioTower
from models.config import TurboConfig
from models.text_tower import TextTower


class Verdict(NamedTuple):
    """What the network says of a batch."""

    logits: Tensor
    """`[B, K]`, before calibration."""

    audio_embedding: Tensor
    """`[B, D]`."""

    text_embedding: Tensor
    """`[B, D]`."""


def confidence_features(confidence: Tensor) -> Tensor:
    """Bring a recognizer's confidence `[B, C]` to about unit size.

    Bounded, because a log-probability has no floor and one bad word must not drown the rest; and
    zero where missing, whatever stands there.
    """
    given = 1.0 - confidence[:, 3:4]
    logprob = confidence[:, 0:1].clamp(-4.0, 0.0) / 2.0 + 0.5
    no_speech = confidence[:, 1:2].clamp(0.0, 1.0)
    compression = confidence[:, 2:3].clamp(0.0, 4.0) / 2.0 - 0.5
    return torch.cat([logprob * given, no_speech * given, compression * given, 1.0 - given], dim=1)


class Projection(nn.Module):
    """Into the contrastive space; used while training only (SimCSE's finding)."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, embedding: Tensor) -> Tensor:
        """Return unit vectors `[B, P]` from `embedding` `[B, D]`."""
        return F.normalize(self.layers(embedding).float(), dim=-1)


class Turbo(nn.Module):
    """Two towers joined by concatenation (arXiv 2409.09282), with the recognizer's confidence."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        self.config = config
        self.audio_front = AudioFront(config)
        self.audio_tower = AudioTower(config)
        self.text_tower = TextTower(config)
        self.confidence = nn.Linear(config.confidence_size, 32)
        self.fusion = nn.Sequential(
            nn.LayerNorm(2 * config.hidden + 32),
            nn.Linear(2 * config.hidden + 32, config.fusion_hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.fusion_hidden, len(config.labels)),
        )
        self.audio_projection = Projection(config.hidden, config.projection)
        self.text_projection = Projection(config.hidden, config.projection)

    def fuse(self, audio: Tensor, text: Tensor, confidence: Tensor) -> Tensor:
        """Return logits `[B, K]` from both embeddings `[B, D]` and `confidence` `[B, C]`."""
        sure = F.gelu(self.confidence(confidence_features(confidence)))
        return self.fusion(torch.cat([audio, text, sure], dim=1))

    def forward(
        self,
        waveform: Tensor,
        waveform_length: Tensor,
        token_ids: Tensor,
        token_mask: Tensor,
        confidence: Tensor,
    ) -> Verdict:
        """Judge a padded batch; a row's verdict depends on that row alone.

        `waveform` `[B, T]` float32 in [-1, 1], `waveform_length` `[B]` samples (0: no sound),
        `token_ids` and `token_mask` `[B, L]` (mask all 0: no text), `confidence` `[B, C]`.
        """
        audio = self.audio_tower(*self.audio_front(waveform, waveform_length))
        text = self.text_tower(token_ids, token_mask)
        return Verdict(self.fuse(audio, text, confidence), audio, text)
