"""Log-mel spectrogram as plain tensor algebra, so that it exports with the network."""

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


class _Mel(nn.Module):
    """The short-time spectrum through the mel filters."""

    basis: Tensor
    filters: Tensor

    def __init__(self, sample_rate: int, bands: int = MEL_BANDS) -> None:
        super().__init__()
        bins = WINDOW_SAMPLES // 2 + 1
        turn = torch.arange(WINDOW_SAMPLES, dtype=torch.float64) * (2 * math.pi / WINDOW_SAMPLES)
        phase = torch.arange(bins, dtype=torch.float64)[:, None] * turn
        window = 0.5 - 0.5 * torch.cos(turn)
        basis = torch.cat([torch.cos(phase), -torch.sin(phase)]) * window
        filters = mel_filters(bands, bins, sample_rate)
        self.register_buffer("basis", basis.float()[:, None, :], persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def _decades(self, padded: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return log10 mel power `[B, F, 80]` of `padded` `[B, T]` and its mask `[B, F]`."""
        spectrum = F.conv1d(padded[:, None], self.basis, stride=HOP_SAMPLES)
        real, imaginary = spectrum.transpose(1, 2).chunk(2, dim=-1)  # [B, F, 201] each
        power = (real.square() + imaginary.square()) @ self.filters
        frame = torch.arange(power.shape[1], device=padded.device)
        frames = (length + HOP_SAMPLES - 1) // HOP_SAMPLES
        mask = (frame[None, :] < frames[:, None]).to(padded.dtype)
        return torch.log10(power.clamp(min=_POWER_FLOOR)), mask


def samples_valid(waveform: Tensor, length: Tensor) -> Tensor:
    """Return `[B, T]`: 1 at the first `length` `[B]` samples of each row, 0 after."""
    sample = torch.arange(waveform.shape[1], device=waveform.device)
    return (sample[None, :] < length[:, None]).to(waveform.dtype)


def standardize(waveform: Tensor, length: Tensor) -> Tensor:
    """Bring each row of `waveform` `[B, T]` to zero mean and unit variance over its own samples.

    `length` `[B]` counts the samples of each row; what follows them becomes 0.
    """
    valid = samples_valid(waveform, length)
    count = length.clamp(min=1).to(waveform.dtype)[:, None]
    mean = (waveform * valid).sum(1, keepdim=True) / count
    centred = (waveform - mean) * valid
    variance = centred.square().sum(1, keepdim=True) / count
    return centred / torch.sqrt(variance + _VARIANCE_FLOOR)


class LogMel(_Mel):
    """Whisper's log-mel of a masked batch, without its fixed window.

    Every row is brought to zero mean and unit variance over its own samples (as smart-turn does;
    Whisper itself does not: `standardized=False`), and clamped to 8 decades under its own loudest
    band: level and padding do not matter.
    """

    def __init__(
        self, *, sample_rate: int = 16_000, bands: int = MEL_BANDS, standardized: bool = True
    ) -> None:
        super().__init__(sample_rate, bands)
        self.standardized = standardized

    def extra_repr(self) -> str:
        """Return what no weight tells."""
        return f"standardized={self.standardized}"

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-mel `[B, F, 80]` and its mask `[B, F]`, from `waveform` `[B, T]`.

        `length` `[B]` counts the samples of each row; a row of none has a mask of zeros.
        """
        half = WINDOW_SAMPLES // 2
        if self.standardized:
            sound = standardize(waveform, length)
        else:
            sound = waveform * samples_valid(waveform, length)
        decades, mask = self._decades(F.pad(sound, (half, half)), length)
        hidden = (1.0 - mask)[:, :, None]
        loudest = (decades - 100.0 * hidden).amax(dim=(1, 2), keepdim=True)
        decades = torch.maximum(decades, loudest - 8.0)
        return (decades + 4.0) / 4.0 * mask[:, :, None], mask


class CausalLogMel(_Mel):
    """Log-mel of which no frame knows what comes after it, so that it can run as sound comes in.

    A frame ends with its own hop, and each band is brought to zero mean over the frames so far:
    neither level nor microphone matter for long. Two sounds that begin alike have frames that
    begin alike.
    """

    def __init__(self, *, sample_rate: int = 16_000) -> None:
        super().__init__(sample_rate)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-mel `[B, F, 80]` and its mask `[B, F]`, from `waveform` `[B, T]`."""
        sound = waveform * samples_valid(waveform, length)
        # A hop behind, so that the last frame is never cut off and even no sound at all has one.
        padded = F.pad(sound, (WINDOW_SAMPLES - HOP_SAMPLES, HOP_SAMPLES))
        decades, mask = self._decades(padded, length)
        count = torch.arange(1, decades.shape[1] + 1, device=decades.device)[None, :, None]
        mean = torch.cumsum(decades, dim=1) / count
        return (decades - mean) * mask[:, :, None], mask
