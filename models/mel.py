"""Log-mel spectrogram as plain tensor algebra, so that it exports with the network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
MEL_BANDS = 80
_VARIANCE_FLOOR = 1e-7
_POWER_FLOOR = 1e-10


def _slaney_hz(mel: Tensor) -> Tensor:
    """Hertz of Slaney `mel`: linear below 1 kHz, logarithmic above."""
    above = 1000.0 * torch.exp((mel - 15.0) * (math.log(6.4) / 27.0))
    return torch.where(mel < 15.0, mel * (200.0 / 3.0), above)


def mel_filters(bands: int, bins: int, sample_rate: int) -> Tensor:
    """Triangular Slaney filters of unit area, `[bins, bands]`, from 0 Hz to the Nyquist rate."""
    top = 15.0 + math.log(sample_rate / 2 / 1000.0) * 27.0 / math.log(6.4)
    edges = _slaney_hz(torch.linspace(0.0, top, bands + 2, dtype=torch.float64))
    frequency = torch.linspace(0.0, sample_rate / 2, bins, dtype=torch.float64)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequency - low) / (centre - low)
    falling = (high - frequency) / (high - centre)
    triangle = torch.minimum(rising, falling).clamp(min=0.0)
    return (triangle * 2.0 / (high - low)).float()


class LogMel(nn.Module):
    """Whisper's log-mel of a masked batch, without its fixed window.

    Every row is brought to zero mean and unit variance over its own samples (as smart-turn does),
    and clamped to 8 decades under its own loudest band: level and padding do not matter.
    """

    def __init__(self, *, sample_rate: int = 16_000) -> None:
        super().__init__()
        bins = WINDOW_SAMPLES // 2 + 1
        turn = torch.arange(WINDOW_SAMPLES, dtype=torch.float64) * (2 * math.pi / WINDOW_SAMPLES)
        phase = torch.arange(bins, dtype=torch.float64)[:, None] * turn
        window = 0.5 - 0.5 * torch.cos(turn)
        basis = torch.cat([torch.cos(phase), -torch.sin(phase)]) * window
        filters = mel_filters(MEL_BANDS, bins, sample_rate)
        self.register_buffer("basis", basis.float()[:, None, :], persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-mel `[B, F, 80]` and its mask `[B, F]`, from `waveform` `[B, T]`.

        `length` `[B]` counts the samples of each row; a row of none has a mask of zeros.
        """
        sample = torch.arange(waveform.shape[1], device=waveform.device)
        valid = (sample[None, :] < length[:, None]).to(waveform.dtype)
        count = length.clamp(min=1).to(waveform.dtype)[:, None]
        mean = (waveform * valid).sum(1, keepdim=True) / count
        centred = (waveform - mean) * valid
        variance = centred.square().sum(1, keepdim=True) / count
        normal = centred / torch.sqrt(variance + _VARIANCE_FLOOR)

        half = WINDOW_SAMPLES // 2
        spectrum = F.conv1d(F.pad(normal, (half, half))[:, None], self.basis, stride=HOP_SAMPLES)
        real, imaginary = spectrum.transpose(1, 2).chunk(2, dim=-1)  # [B, F, 201] each
        power = (real.square() + imaginary.square()) @ self.filters
        decades = torch.log10(power.clamp(min=_POWER_FLOOR))

        frame = torch.arange(decades.shape[1], device=waveform.device)
        frames = (length + HOP_SAMPLES - 1) // HOP_SAMPLES
        mask = (frame[None, :] < frames[:, None]).to(waveform.dtype)
        hidden = (1.0 - mask)[:, :, None]
        loudest = (decades - 100.0 * hidden).amax(dim=(1, 2), keepdim=True)
        decades = torch.maximum(decades, loudest - 8.0)
        return (decades + 4.0) / 4.0 * mask[:, :, None], mask
