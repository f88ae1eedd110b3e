"""The frozen lower part of a tower."""

from __future__ import annotations

from torch import nn


class Front(nn.Module):
    """What a tower holds frozen: without gradients or dropout, so its output may be kept.

    It is in evaluation mode whatever `train()` is told.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        """F of the `[B, N, F]` it gives; 0 where it gives token ids `[B, L]` as they come."""
        self.training = False

    def extra_repr(self) -> str:
        """Return all plain settings: kept features stand under a digest of the printed front."""
        plain = {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, int) and name != "training"
        }
        return ", ".join(f"{name}={value}" for name, value in sorted(plain.items()))

    def train(self, mode: bool = True) -> Front:
        """Stay in evaluation mode."""
        return super().train(False)
