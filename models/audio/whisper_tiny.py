"""Whisper-tiny, its lower layers frozen: waveform to one vector."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.audio.layers import Convolution
from models.config import TurboConfig
from models.mel import MEL_BANDS, LogMel
from models.tower import Encoded, Front, attention_scorer, attentive_pool, average_steps, in_views
from models.transformer import EncoderLayer, attention_bias, sinusoids


def _layers(config: TurboConfig, count: int, *, trained: bool) -> nn.ModuleList:
    return nn.ModuleList(
        EncoderLayer(
            hidden=config.encoder_width,
            heads=config.heads,
            feed_forward=config.feed_forward,
            dropout=config.dropout if trained else 0.0,
            pre_norm=True,
            norm_epsilon=1e-5,
            inner_dropout=config.inner_dropout if trained else 0.0,
        )
        for _ in range(count)
    )


class WhisperFront(Front):
    """Mel, convolutions and the lower layers: pretrained, frozen, free of dropout.

    Nothing here depends on the dropout mask, so both views of a clip share one result.
    """

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config.encoder_width)
        # From 50 frames a second; what needs no dropout is better averaged before it is kept.
        self.every = 2 * config.audio_pool if config.audio_frozen else 2
        self.mel = LogMel(sample_rate=config.sample_rate)
        self.conv1 = Convolution(MEL_BANDS, self.width, stride=1)
        self.conv2 = Convolution(self.width, self.width, stride=2)
        self.layers = _layers(config, config.audio_lower_layers, trained=False)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return `[B, N, F]` at 25 frames a second (a part of it, frozen) and its mask `[B, N]`."""
        mel, mask = self.mel(waveform, length)
        x = F.gelu(self.conv1(mel)) * mask[:, :, None]
        mask = mask[:, ::2]
        x = F.gelu(self.conv2(x))
        x = x + sinusoids(x.shape[1], x.shape[2], x.device)
        bias = attention_bias(mask)
        x = x * mask[:, :, None]
        for layer in self.layers:
            x = layer(x, bias) * mask[:, :, None]
        return average_steps(x, mask, self.every)


class WhisperTower(nn.Module):
    """The trained part: upper layers and attentive pooling over the front's frames."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.layers = _layers(config, config.audio_upper_layers, trained=True)
        self.norm = nn.LayerNorm(width)
        same = width == config.hidden
        self.exit = nn.Identity() if same else nn.Linear(width, config.hidden)
        self.score = attention_scorer(config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return the parameters that start from pretrained weights."""
        return [*self.layers.parameters(), *self.norm.parameters()]

    def forward(self, frames: Tensor, mask: Tensor, views: int = 1) -> Encoded:
        """Encode `frames` `[B, N, F]` `views` times; a row whose mask is all 0 is `missing`."""
        mask = in_views(mask, views)
        bias = attention_bias(mask)
        x = self.dropout(in_views(frames, views))
        for layer in self.layers:
            x = layer(x, bias)
        return attentive_pool(self.exit(self.norm(x)), mask, self.score, self.missing)
