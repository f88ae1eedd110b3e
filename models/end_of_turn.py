"""A small head that hears whether a speaker has finished or only paused."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EDGES = (0, 3, 6, 9, 12, 18, 28, 50, 80)
"""Borders of the windows it looks through, in frames before the end (of 40 ms each, by default):
finer where the voice fell silent, coarser where the sentence began."""


class EndOfTurn(nn.Module):
    """Means of the frozen front's frames over windows counted from the end, and two layers.

    It reads the front, not the tower above, so that no training of the tower moves it: how a voice
    falls and slows is in the lower layers. Nothing depends on how far a row is padded.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, hidden: int, dropout: float = 0.3) -> None:
        super().__init__()
        inputs = (len(EDGES) - 1) * width
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.dropout = nn.Dropout(dropout)
        self.entry = nn.Linear(inputs, hidden)
        self.exit = nn.Linear(hidden, 1)

    @staticmethod
    def windows(frames: Tensor, mask: Tensor) -> Tensor:
        """Return the means `[B, W * F]` of `frames` `[B, N, F]`; 0 where a row is too short.

        `mask` `[B, N]` is 1 where a frame counts; the frames that do come first in a row.
        """
        age = mask.sum(1, keepdim=True) - torch.cumsum(mask, 1)  # [B, N], 0 for the newest
        inside = [
            mask * (age >= start).to(mask.dtype) * (age < end).to(mask.dtype)
            for start, end in zip(EDGES, EDGES[1:], strict=False)
        ]
        weight = torch.stack(inside, dim=1)  # [B, W, N]
        total = weight @ frames
        return (total / weight.sum(2, keepdim=True).clamp(min=1.0)).flatten(1)

    def of_windows(self, windows: Tensor) -> Tensor:
        """Return logits `[B]` that the speaker has finished, of `windows` `[B, W * F]`."""
        x = self.dropout((windows - self.mean) * self.scale)
        return self.exit(self.dropout(F.gelu(self.entry(x)))).squeeze(-1)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return logits `[B]` that the speaker has finished, of `frames` `[B, N, F]`."""
        return self.of_windows(self.windows(frames, mask))
