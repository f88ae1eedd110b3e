"""HuBERT, wav2vec 2.0, WavLM and their like: convolutions over the waveform, then layers."""

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.mel import samples_valid, standardize
from models.tower import Front

# WavLM of transformers gives torch two kinds of masks, which is nothing that a user could mend.
warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask and attn_mask")


def _count(length: Tensor, layer: Any) -> Tensor:
    """Return how many outputs of a convolution see whole input, from `length` `[B]`."""
    kernel, stride = layer.conv.kernel_size[0], layer.conv.stride[0]
    return torch.div(length - kernel, stride, rounding_mode="floor") + 1


def _normalized_rows(x: Tensor, norm: nn.GroupNorm, count: Tensor) -> Tensor:
    """Normalize each channel of each row of `x` `[B, C, N]` over its first `count` `[B]` steps.

    The group norm in the first layer of the base models takes its statistics over the whole row,
    padding included, so that what a clip sounds like would depend on the longest of its batch.
    """
    valid = samples_valid(x[:, 0], count)[:, None]
    total = count.clamp(min=1).to(x.dtype)[:, None, None]
    mean = (x * valid).sum(dim=2, keepdim=True) / total
    variance = ((x - mean) * valid).square().sum(dim=2, keepdim=True) / total
    normal = (x - mean) / torch.sqrt(variance + norm.eps)
    return normal * norm.weight[:, None] + norm.bias[:, None]


class WaveStem(Front):
    """The encoder's convolutions, frozen as is usual: `[B, N, C]` at 50 frames a second."""

    def __init__(self, source: Any, *, normalize: bool) -> None:
        """Take the convolutions of `source`; `normalize` brings rows to unit variance first."""
        layers = source.feature_extractor.conv_layers
        super().__init__(layers[-1].conv.out_channels)
        self.layers: Any = layers
        self.normalize = normalize
        self.reach = 1  # samples that one frame sees
        for layer in reversed(layers):
            self.reach = (self.reach - 1) * layer.conv.stride[0] + layer.conv.kernel_size[0]

    def take(self, source: Any) -> None:
        """Copy the weights of a pretrained `source`."""
        self.layers.load_state_dict(source.feature_extractor.conv_layers.state_dict())

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames `[B, N, C]` and their mask `[B, N]`, from `waveform` `[B, T]`.

        A row is the same whatever it is padded with. One shorter than a frame (25 ms) is filled
        up with silence; one of `length` 0 has a mask of zeros.
        """
        valid = samples_valid(waveform, length)
        wave = standardize(waveform, length) if self.normalize else waveform * valid
        x = F.pad(wave, (0, self.reach))[:, None]
        count = length.clamp(min=self.reach)
        for layer in self.layers:
            count = _count(count, layer)
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                x = layer.activation(_normalized_rows(layer.conv(x), norm, count))
            else:
                x = layer(x)
        x = x.transpose(1, 2)
        mask = samples_valid(x[:, :, 0], count * (length > 0))
        return x * mask[:, :, None], mask


class WaveLayers(nn.Module):
    """The projection and the layers of the pretrained encoder."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.projection: Any = source.feature_projection
        self.encoder: Any = source.encoder
        self.width: int = source.config.hidden_size

    def take(self, source: Any) -> None:
        """Copy the weights of a pretrained `source`."""
        self.projection.load_state_dict(source.feature_projection.state_dict())
        self.encoder.load_state_dict(source.encoder.state_dict())

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return states `[B, N, F]` of `frames` `[B, N, C]`; `mask` `[B, N]` hides its padding."""
        x = self.projection(frames)
        x = x[0] if isinstance(x, tuple) else x
        # A row without any frame attends to its first: its result is not used, but stays finite.
        none = 1.0 - mask.amax(dim=1, keepdim=True)
        seen = torch.cat([mask[:, :1] + none, mask[:, 1:]], dim=1)
        return self.encoder(x, attention_mask=seen > 0.5).last_hidden_state
