"""The layers of the audio towers: a body over a frozen encoder, convolutions, masks in training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.config import TurboConfig
from models.sound_library import load_torchaudio
from models.tower import Encoded, attention_scorer, attentive_pool, in_views
from models.transformer import attention_bias, body_layers


class AudioBody(nn.Module):
    """A few layers of `hidden` and attentive pooling over the front's frames."""

    def __init__(self, config: TurboConfig, width: int) -> None:
        super().__init__()
        # Encoders that normalize first leave their sum unnormalized, with a few huge dimensions.
        self.entry = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.hidden))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = body_layers(config)
        self.norm = nn.LayerNorm(config.hidden)
        self.score = attention_scorer(config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return nothing: all of it is new."""
        return []

    def forward(self, frames: Tensor, mask: Tensor, views: int = 1) -> Encoded:
        """Encode `frames` `[B, N, F]` `views` times; a row whose mask is all 0 is `missing`."""
        x, mask = in_views(self.entry(frames), views), in_views(mask, views)
        x = self.dropout(x)
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias)
        return attentive_pool(self.norm(x), mask, self.score, self.missing)


class Convolution(nn.Module):
    """A width-3 convolution over time as one matrix product, which INT8 kernels are best at.

    The weight is `[out, 3 * in]`, taps outermost: row-major `[out, tap, in]`. At stride 2 step s
    sees inputs 2 s - 1 to 2 s + 1: nothing of the pair that follows.
    """

    def __init__(self, width_in: int, width_out: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.linear = nn.Linear(3 * width_in, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, ceil(N / stride), out]` from `x` `[B, N, in]`, zero-padded by one step."""
        steps = x.shape[1]
        padded = F.pad(x, (0, 0, 1, 1))
        taps = [padded[:, tap : tap + steps : self.stride] for tap in range(3)]
        return self.linear(torch.cat(taps, dim=-1))


class FrameMasks(nn.Module):
    """One stretch of time and one of bands a row, drawn anew each time and so in each view."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        self.masks = nn.Sequential()
        if config.mask_frames or config.mask_bands:
            transforms = load_torchaudio().transforms
            if config.mask_frames:
                self.masks.append(
                    transforms.TimeMasking(config.mask_frames, iid_masks=True, p=_LARGEST_SHARE)
                )
            if config.mask_bands:
                self.masks.append(transforms.FrequencyMasking(config.mask_bands, iid_masks=True))

    @property
    def active(self) -> bool:
        """Whether anything is blanked now."""
        return self.training and len(self.masks) > 0

    def forward(self, frames: Tensor) -> Tensor:
        """Return `frames` `[B, N, F]` with 0 in the stretches; in evaluation as they are."""
        if not self.active:
            return frames
        return self.masks(frames.transpose(1, 2)[:, None])[:, 0].transpose(1, 2)


_LARGEST_SHARE = 0.25
"""Of a batch's steps that one stretch of time may take."""
