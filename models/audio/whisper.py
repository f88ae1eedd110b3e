"""Whisper's encoder of any size, on as many frames as there are."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from models.audio.layers import Convolution
from models.mel import LogMel
from models.tower import Front
from models.transformer import EncoderLayer, attention_bias, sinusoids

_LAYER_NAMES = {
    "self_attn.q_proj": "query",
    "self_attn.k_proj": "key",
    "self_attn.v_proj": "value",
    "self_attn.out_proj": "output",
    "self_attn_layer_norm": "attention_norm",
    "fc1": "widen",
    "fc2": "narrow",
    "final_layer_norm": "feed_forward_norm",
}


def take_layer(layer: EncoderLayer, source: dict[str, Tensor], index: int) -> None:
    """Fill `layer` with Whisper's layer `index`; `source` has the keys of `WhisperEncoder`."""
    renamed = {}
    for theirs, ours in _LAYER_NAMES.items():
        weight = source[f"layers.{index}.{theirs}.weight"]
        renamed[f"{ours}.weight"] = weight
        # Whisper's key projection alone has no bias.
        bias = source.get(f"layers.{index}.{theirs}.bias")
        renamed[f"{ours}.bias"] = weight.new_zeros(weight.shape[0]) if bias is None else bias
    layer.load_state_dict(renamed)


def take_convolution(convolution: Convolution, source: dict[str, Tensor], name: str) -> None:
    """Fill `convolution` with Whisper's `conv1` or `conv2`."""
    weight = source[f"{name}.weight"]  # [out, in, tap]
    convolution.linear.weight.data.copy_(weight.transpose(1, 2).flatten(1))
    convolution.linear.bias.data.copy_(source[f"{name}.bias"])


class WhisperStem(Front):
    """Log-mel and both convolutions, frozen: `[B, N, F]` at 50 a second.

    Whisper was trained on windows of 30 s, padded with silence; here a row is as long as it is.
    """

    def __init__(self, architecture: dict, *, sample_rate: int, normalize: bool) -> None:
        """Build from Whisper's `config.json`; `normalize` brings rows to unit variance first."""
        width = architecture["d_model"]
        super().__init__(width)
        bands = architecture["num_mel_bins"]
        self.mel = LogMel(sample_rate=sample_rate, bands=bands, standardized=normalize)
        self.conv1 = Convolution(bands, width, stride=1)
        self.conv2 = Convolution(width, width, stride=2)

    def take(self, source: Any) -> None:
        """Copy the weights of a pretrained `source`."""
        state = source.encoder.state_dict()
        take_convolution(self.conv1, state, "conv1")
        take_convolution(self.conv2, state, "conv2")

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames `[B, N, F]` and their mask `[B, N]`, from `waveform` `[B, T]`."""
        mel, mask = self.mel(waveform, length)
        x = F.gelu(self.conv1(mel)) * mask[:, :, None]
        mask = mask[:, ::2]
        x = F.gelu(self.conv2(x))
        x = x + sinusoids(x.shape[1], x.shape[2], x.device)
        return x * mask[:, :, None], mask


class WhisperLayers(nn.Module):
    """The layers of the encoder and the norm after them."""

    def __init__(self, architecture: dict, *, dropout: float, inner_dropout: float = 0.0) -> None:
        """Build from Whisper's `config.json`."""
        super().__init__()
        self.width = architecture["d_model"]
        self.layers = nn.ModuleList(
            EncoderLayer(
                hidden=self.width,
                heads=architecture["encoder_attention_heads"],
                feed_forward=architecture["encoder_ffn_dim"],
                dropout=dropout,
                pre_norm=True,
                norm_epsilon=1e-5,
                inner_dropout=inner_dropout,
            )
            for _ in range(architecture["encoder_layers"])
        )
        self.norm = nn.LayerNorm(self.width)

    def take(self, source: Any) -> None:
        """Copy the weights of a pretrained `source`."""
        state = source.encoder.state_dict()
        layers: Any = self.layers
        for index, layer in enumerate(layers):
            take_layer(layer, state, index)
        self.norm.load_state_dict(source.encoder.layer_norm.state_dict())

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return states `[B, N, F]` of `frames` `[B, N, F]` where `mask` `[B, N]` is 1."""
        bias = attention_bias(mask)
        for layer in self.layers:
            frames = layer(frames, bias)
        return self.norm(frames)
