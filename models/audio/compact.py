"""A compact audio tower of our own, made to run as the sound comes in."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.audio.layers import Convolution, FrameMasks
from models.config import TurboConfig
from models.mel import MEL_BANDS, CausalLogMel
from models.tower import Encoded, Front, attention_scorer, attentive_pool, in_views
from models.transformer import attention_bias, body_layers, chunk_bias, sinusoids


class CompactFront(Front):
    """Log-mel at 100 frames a second: the one thing that is not trained."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(MEL_BANDS)
        self.mel = CausalLogMel(sample_rate=config.sample_rate)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return `[B, N, 80]` and its mask `[B, N]`, from `waveform` `[B, T]`, `length` `[B]`."""
        return self.mel(waveform, length)


class CompactTower(nn.Module):
    """Convolutions down to 25 steps a second, then attention within chunks and a little before.

    A state never depends on sound after its chunk (chunked attention as in Emformer,
    arXiv 2010.10759, without its memory), so that a chunk is computed once, when it is complete.
    """

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.chunk, self.left = config.chunk_steps, config.left_chunks
        self.masks = FrameMasks(config)
        self.conv1 = Convolution(MEL_BANDS, hidden, stride=2)
        self.conv2 = Convolution(hidden, hidden, stride=2)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = body_layers(config)
        self.norm = nn.LayerNorm(hidden)
        self.score = attention_scorer(hidden)
        self.missing = nn.Parameter(torch.zeros(hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return nothing: all of it is new."""
        return []

    def forward(self, frames: Tensor, mask: Tensor, views: int = 1) -> Encoded:
        """Encode `frames` `[B, N, 80]` `views` times; a row whose mask is all 0 is `missing`."""
        if self.masks.active:  # they differ between the views, so these part here
            frames, mask, views = in_views(frames, views), in_views(mask, views), 1
        x = F.gelu(self.conv1(self.masks(frames) * mask[:, :, None]))
        mask = mask[:, ::2]
        x = F.gelu(self.conv2(x * mask[:, :, None]))
        mask = mask[:, ::2]
        x = in_views(x + sinusoids(x.shape[1], x.shape[2], x.device), views)
        x, mask = self.dropout(x), in_views(mask, views)
        seen = chunk_bias(x.shape[1], self.chunk, self.left, x.device)
        bias = attention_bias(mask) + seen
        for layer in self.layers:
            x = layer(x, bias)
        return attentive_pool(self.norm(x), mask, self.score, self.missing)
