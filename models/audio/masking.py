"""Blanks stretches of time and of frequency in training (SpecAugment, arXiv 1904.08779)."""

from __future__ import annotations

from torch import Tensor, nn

from models.config import TurboConfig
from models.sound_library import load_torchaudio

_LARGEST_SHARE = 0.25
"""Of a batch's steps that one stretch of time may take."""


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
