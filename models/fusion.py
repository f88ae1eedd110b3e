"""Joins both modalities and the recognizer's confidence into logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import Encoded
from models.errors import ModelError

_CONFIDENCE_WIDTH = 32


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


class _Fusion(nn.Module):
    """What every fusion has: a view of the confidence, and a classifier."""

    def __init__(self, config: TurboConfig, width: int) -> None:
        """Make a classifier of `width` inputs beside those for the confidence."""
        super().__init__()
        self.sure_width = _CONFIDENCE_WIDTH if config.use_confidence else 0
        if config.use_confidence:
            self.confidence = nn.Linear(config.confidence_size, _CONFIDENCE_WIDTH)
        self.classifier = nn.Sequential(
            nn.LayerNorm(width + self.sure_width),
            nn.Linear(width + self.sure_width, config.fusion_hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.fusion_hidden, len(config.labels)),
        )

    def _sure(self, confidence: Tensor) -> list[Tensor]:
        """Return the inputs made of `confidence` `[B, C]`, a list of one or, unused, of none."""
        if not self.sure_width:
            return []
        return [F.gelu(self.confidence(confidence_features(confidence)))]


class Concatenation(_Fusion):
    """The paper's fusion: both vectors side by side (arXiv 2409.09282), and the confidence."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config, 2 * config.hidden)

    def forward(self, audio: Encoded, text: Encoded, confidence: Tensor) -> Tensor:
        """Return logits `[B, K]`; `confidence` `[B, C]` as it comes from the recognizer."""
        joined = [audio.pooled, text.pooled, *self._sure(confidence)]
        return self.classifier(torch.cat(joined, dim=1))


def build_fusion(config: TurboConfig) -> nn.Module:
    """Return the fusion `config` asks for.

    Raises:
        ModelError: there is none of that name.
    """
    if config.fusion != "concat":
        raise ModelError(f"fusion {config.fusion!r}: unknown; allowed: concat")
    return Concatenation(config)
