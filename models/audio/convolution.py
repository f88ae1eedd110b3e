"""The convolution of the audio towers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
