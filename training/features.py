"""Sound through the frozen audio front, once, for several random channels a clip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from rich.progress import track

from models.turbo import Turbo
from training.augment import AugmentConfig, Surroundings, Wave, augment

Frames = NDArray[np.float16]


def read_wave(path: Path, *, sample_rate: int) -> Wave:
    """Return the first channel of a sound file at `sample_rate`, float32 in [-1, 1]."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = wave[:, 0]
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate)


@torch.inference_mode()
def front_frames(model: Turbo, waves: Sequence[Wave], *, batch: int = 16) -> list[Frames]:
    """Return each wave's frames `[N, D]` from the front, batched by length."""
    order = sorted(range(len(waves)), key=lambda index: len(waves[index]))
    found: list[Frames] = [np.zeros((0, 0), np.float16)] * len(waves)
    device = next(model.parameters()).device
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        length = torch.tensor([len(waves[index]) for index in chosen])
        padded = torch.zeros(len(chosen), int(length.max()))
        for row, index in zip(padded, chosen, strict=True):
            row[: len(waves[index])] = torch.from_numpy(waves[index])
        frames, mask = model.audio_front(padded.to(device), length.to(device))
        for row, keep, index in zip(frames, mask.sum(1).int().tolist(), chosen, strict=True):
            found[index] = row[:keep].to(torch.float16).cpu().numpy()
    return found


@dataclass(frozen=True)
class FeatureStore:
    """Frames of clips in random channels (variant 0 and up) or as recorded (variant -1).

    Kept on disk by clip and seed, so that runs on parts of the same data share them.
    """

    folder: Path
    seed: int = 0

    def _file(self, audio: Path, variant: int) -> Path:
        name = f"{self.seed}/{audio.resolve()}/{variant}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[:24]}.npy"

    def fill(
        self,
        model: Turbo,
        items: Iterable[tuple[Path, int]],
        config: AugmentConfig,
        surroundings: Surroundings,
        *,
        chunk: int = 64,
    ) -> None:
        """Compute what is missing of `items`, pairs of clip and variant."""
        wanted = [item for item in items if not self._file(*item).exists()]
        starts = range(0, len(wanted), chunk)
        for start in track(starts, "audio front", disable=not wanted):
            part = wanted[start : start + chunk]
            waves = [self._wave(model, *item, config, surroundings) for item in part]
            for (clip, variant), frames in zip(part, front_frames(model, waves), strict=True):
                target = self._file(clip, variant)
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_suffix(".part")
                with partial.open("wb") as file:
                    np.save(file, frames)
                partial.rename(target)

    def _wave(
        self,
        model: Turbo,
        clip: Path,
        variant: int,
        config: AugmentConfig,
        surroundings: Surroundings,
    ) -> Wave:
        wave = read_wave(clip, sample_rate=model.config.sample_rate)
        if variant >= 0:
            digest = hashlib.sha256(f"{self.seed}/{clip.name}/{variant}".encode()).digest()
            wave = augment(wave, int.from_bytes(digest[:8]), config, surroundings)
        return np.ascontiguousarray(wave[-model.config.max_samples :])

    def load(self, clip: Path, variant: int) -> Frames:
        """Return the frames `[N, D]` of `clip` in one variant."""
        return np.load(self._file(clip, variant))
