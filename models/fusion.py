"""Joins both modalities and the recognizer's confidence into logits."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.config import ModelError, TurboConfig
from models.tower import Encoded
from models.transformer import attention_bias

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


class AdditiveFusion(nn.Module):
    """The logits of the words, and to a fixed share those of the sound; of one alone, its own.

    What a sound says depends on the collection that it was learned from, so it may sway what the
    words leave open, and not outvote them.
    """

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        self.sound_share = config.sound_share
        self.sound = _head(config)
        self.words = _head(config)

    def forward(self, audio: Encoded, text: Encoded, confidence: Tensor) -> Tensor:
        """Return logits `[B, K]`; `confidence` `[B, C]` is not used."""
        heard, read = self.sound(audio.pooled), self.words(text.pooled)
        has_sound, has_words = (
            one.mask.amax(dim=1, keepdim=True).to(read.dtype) for one in (audio, text)
        )
        share = 1.0 - (1.0 - self.sound_share) * has_words
        return has_words * read + share * has_sound * heard


def _head(config: TurboConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(config.hidden),
        nn.Linear(config.hidden, config.fusion_hidden),
        nn.GELU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.fusion_hidden, len(config.labels)),
    )


class GatedFusion(_Fusion):
    """One vector in which a gate weighs sound against text, dimension by dimension.

    The gate sees both vectors and the confidence (gated multimodal units, arXiv 1702.01992).
    """

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config, config.hidden)
        hidden = config.hidden
        self.audio = nn.Linear(hidden, hidden)
        self.text = nn.Linear(hidden, hidden)
        self.gate = nn.Linear(2 * hidden + self.sure_width, hidden)

    def forward(self, audio: Encoded, text: Encoded, confidence: Tensor) -> Tensor:
        """Return logits `[B, K]`; `confidence` `[B, C]` as it comes from the recognizer."""
        sure = self._sure(confidence)
        gate = torch.sigmoid(self.gate(torch.cat([audio.pooled, text.pooled, *sure], dim=1)))
        heard, read = torch.tanh(self.audio(audio.pooled)), torch.tanh(self.text(text.pooled))
        return self.classifier(torch.cat([gate * heard + (1.0 - gate) * read, *sure], dim=1))


class CrossAttention(nn.Module):
    """The mean of what every state of one modality finds in the other's."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        hidden = config.hidden
        if hidden % config.body_heads:
            raise ModelError(
                f"width {hidden} is not a multiple of {config.body_heads} heads; change one of them"
            )
        self.heads = config.body_heads
        self.asking, self.asked = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.query, self.key = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.value, self.output = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(config.dropout)

    def _heads(self, x: Tensor) -> Tensor:
        batch, steps, hidden = x.shape
        return x.view(batch, steps, self.heads, hidden // self.heads).transpose(1, 2)

    def forward(self, one: Encoded, other: Encoded) -> Tensor:
        """Return `[B, D]`; 0 for a row in which either is missing."""
        asked = self.asked(other.states)
        query = self._heads(self.query(self.asking(one.states)))
        key, value = self._heads(self.key(asked)), self._heads(self.value(asked))
        bias = attention_bias(other.mask).to(query.dtype)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        found = self.output(found.transpose(1, 2).flatten(2)) * one.mask[:, :, None]
        mean = found.sum(dim=1) / one.mask.sum(dim=1, keepdim=True).clamp(min=1.0)
        return self.dropout(mean) * other.mask.amax(dim=1, keepdim=True)


class CrossAttentionFusion(_Fusion):
    """Each modality reads the other's states before both stand side by side."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config, 2 * config.hidden)
        self.audio_to_text = CrossAttention(config)
        self.text_to_audio = CrossAttention(config)

    def forward(self, audio: Encoded, text: Encoded, confidence: Tensor) -> Tensor:
        """Return logits `[B, K]`; `confidence` `[B, C]` as it comes from the recognizer."""
        heard = audio.pooled + self.audio_to_text(audio, text)
        read = text.pooled + self.text_to_audio(text, audio)
        return self.classifier(torch.cat([heard, read, *self._sure(confidence)], dim=1))


_FUSIONS = {
    "additive": AdditiveFusion,
    "concat": Concatenation,
    "gated": GatedFusion,
    "cross_attention": CrossAttentionFusion,
}


def build_fusion(config: TurboConfig) -> nn.Module:
    """Return the fusion `config` asks for.

    Raises:
        ModelError: there is none of that name.
    """
    if config.fusion not in _FUSIONS:
        allowed = ", ".join(_FUSIONS)
        raise ModelError(f"fusion {config.fusion!r}: unknown; allowed: {allowed}")
    return _FUSIONS[config.fusion](config)
