"""The shape of a Turbo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TurboConfig:
    """Everything needed to build the network; a checkpoint carries it as `config.json`."""

    labels: tuple[str, ...] = ("not_directed", "directed")
    """Names of the K classes, in the order of the logits."""

    sample_rate: int = 16_000
    """Hertz."""

    max_seconds: float = 15.0
    """Longest waveform; of a longer utterance the last part is given."""

    max_tokens: int = 64
    """Longest token row, special tokens included."""

    hidden: int = 384
    """Width D of both towers (Whisper-tiny and MiniLM-L6 share it)."""

    heads: int = 6
    """Attention heads of the audio tower."""

    text_heads: int = 12
    """Attention heads of the text tower."""

    feed_forward: int = 1536
    """Width inside the feed-forward blocks of both towers."""

    audio_lower_layers: int = 2
    """Layers at 50 frames a second, kept as pretrained: they hold no dropout."""

    audio_upper_layers: int = 1
    """Layers at 25 frames a second, trained."""

    text_layers: int = 3
    """Layers of the text tower, trained."""

    vocabulary_size: int = 6_500
    """Rows of the token embedding."""

    sep_token_id: int = 3
    """Id that ends a segment; what follows the first one is the transcript of a named device."""

    confidence_size: int = 4
    """C: mean log-probability, no-speech probability, compression ratio, 1 if missing."""

    fusion_hidden: int = 256
    """Width of the fusion layer."""

    projection: int = 128
    """Width of the contrastive space (training only)."""

    dropout: float = 0.1
    """Probability of every dropout; the two views differ by it."""

    @property
    def max_samples(self) -> int:
        """Longest waveform in samples."""
        return int(self.max_seconds * self.sample_rate)
