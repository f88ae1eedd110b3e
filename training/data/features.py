"""What the frozen fronts make of sound and of text, computed once."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

from models.turbo import Turbo
from training.data.augment import AugmentConfig, Surroundings, augment
from training.data.clip import Clip, Wave, read_wave
from turbo_stream.detection.speech_part import speech_part

Frames = NDArray[np.float16]

Sound = NDArray[np.float32]
"""What a front takes of one clip: samples `[T]`, or the recognizer's states `[T, F]`."""

_STDERR = Console(stderr=True)

AS_RECORDED = -1
"""The variant without a random channel."""


@dataclass
class FeatureStore:
    """Frames of clips in random channels (variant 0 and up) or as recorded (variant -1).

    Kept on disk under what they were made of: clip, seed, front, and the channel for variants from
    0 on. So runs on parts of the same data share them, and runs of another front or another channel
    do not. What was loaded once stays in memory, for the next run of this process.
    """

    folder: Path
    """Where the files lie."""

    front: str
    """`front_digest` of the model's front."""

    augment: AugmentConfig
    surroundings: Surroundings

    cut_to_speech: bool = True
    """Whether a wave is cut to its speech, as the runtime does; not for `states`."""

    states: Callable[[Wave], Sound] | None = None
    """What makes of a wave the states that the front reads; None where it reads the wave."""

    seed: int = 0
    """Seed of the channels, the same in every run so that runs share their files."""

    most_frames: int = 0
    """Frames that are given of a sound, its last; 0 for all. What is kept is whole."""

    _memory: dict[tuple[Clip, int], Frames] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._channel = channel_digest(self.augment, self.surroundings)

    def _file(self, clip: Clip, variant: int) -> Path:
        channel = self._channel if variant >= 0 else ""
        part = f"{clip.offset_s}/{clip.duration_s}"
        made = f"{self.front}/{channel}/{self.cut_to_speech}"
        name = f"{self.seed}/{clip.path.resolve()}/{part}/{variant}/{made}"
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / digest[:2] / f"{digest[:24]}.npy"

    def fill(self, model: Turbo, items: Iterable[tuple[Clip, int]], *, chunk: int = 64) -> None:
        """Compute what is missing of `items`, pairs of clip and variant."""
        unique = [item for item in dict.fromkeys(items) if item not in self._memory]
        wanted = [item for item in unique if not self._file(*item).exists()]
        starts = range(0, len(wanted), chunk)
        for start in track(starts, "audio front", console=_STDERR, disable=not wanted):
            part = wanted[start : start + chunk]
            sounds = [self._sound(model, *item) for item in part]
            for (clip, variant), frames in zip(part, front_frames(model, sounds), strict=True):
                target = self._file(clip, variant)
                target.parent.mkdir(parents=True, exist_ok=True)
                # Runs may share the folder.
                partial = target.with_suffix(f".{os.getpid()}.part")
                with partial.open("wb") as file:
                    np.save(file, frames)
                partial.rename(target)

    def _sound(self, model: Turbo, clip: Clip, variant: int) -> Sound:
        wave = read_wave(clip)
        if variant >= 0:
            key = f"{self.seed}/{clip.name}/{variant}"
            digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
            wave = augment(wave, int.from_bytes(digest[:8]), self.augment, self.surroundings)
        if self.states is not None:
            return self.states(np.ascontiguousarray(wave[-model.config.max_samples :]))
        wave = wave[-model.config.max_samples :]
        return np.ascontiguousarray(speech_part(wave) if self.cut_to_speech else wave)

    def load(self, clip: Clip, variant: int) -> Frames:
        """Return the frames `[N, D]` of `clip` in one variant."""
        frames = self._memory.get((clip, variant))
        if frames is None:
            frames = np.load(self._file(clip, variant))
            if self.most_frames:
                frames = frames[-self.most_frames :].copy()  # what is left out is not held
            self._memory[clip, variant] = frames
        return frames


@torch.inference_mode()
def front_frames(model: Turbo, sounds: Sequence[Sound], *, batch: int = 16) -> list[Frames]:
    """Return each sound's frames `[N, D]` from the front, batched by length."""
    order = sorted(range(len(sounds)), key=lambda index: len(sounds[index]))
    found: list[Frames] = [np.zeros((0, 0), np.float16)] * len(sounds)
    device = next(model.parameters()).device
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        length = torch.tensor([len(sounds[index]) for index in chosen])
        padded = torch.zeros(len(chosen), int(length.max()), *sounds[chosen[0]].shape[1:])
        for row, index in zip(padded, chosen, strict=True):
            row[: len(sounds[index])] = torch.from_numpy(sounds[index])
        frames, mask = model.audio_front(padded.to(device), length.to(device))
        for row, keep, index in zip(frames, mask.sum(1).int().tolist(), chosen, strict=True):
            found[index] = row[:keep].to(torch.float16).cpu().numpy()
    return found


def front_digest(front: nn.Module) -> str:
    """Return a digest of what a front is: its class and its weights."""
    digest = hashlib.sha256(f"{type(front).__module__}.{type(front).__qualname__}".encode())
    digest.update(str(front).encode())
    for name, value in sorted(front.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def channel_digest(config: AugmentConfig, surroundings: Surroundings) -> str:
    """Return a digest of the random channel: its ranges, and the noises and rooms in it."""
    digest = hashlib.sha256(str(sorted(asdict(config).items())).encode())
    for wave in (*surroundings.noises, *surroundings.rooms):
        digest.update(np.ascontiguousarray(wave).tobytes() + b"|")
    return digest.hexdigest()


_CHUNK = 64


@dataclass
class TextStates:
    """What the frozen text front makes of texts, remembered by their token ids.

    Only of use where the front is an encoder; one that hands the ids on costs nothing.
    """

    model: Turbo

    most: int = 60_000
    """Texts remembered at most; of what comes later nothing is kept. Some 10 kB each."""

    _memory: dict[tuple[int, ...], Tensor] = field(default_factory=dict, repr=False)

    @torch.inference_mode()
    def _encode(self, texts: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Tensor]:
        device = next(self.model.parameters()).device
        found = {}
        ordered = sorted(texts, key=len)
        for start in range(0, len(ordered), _CHUNK):
            part = ordered[start : start + _CHUNK]
            ids = torch.zeros(len(part), len(part[-1]), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, text in enumerate(part):
                ids[row, : len(text)] = torch.tensor(text)
                mask[row, : len(text)] = 1
            states = self.model.text_front(ids.to(device), mask.to(device)).half().cpu()
            for row, text in zip(states, part, strict=True):
                found[text] = row[: len(text)].clone()
        return found

    def __call__(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Return states `[B, L, F]` float32 of rows of token ids, padded with zeros."""
        keys = [tuple(ids) for ids in texts]
        new = self._encode([key for key in dict.fromkeys(keys) if key not in self._memory])
        room = self.most - len(self._memory)
        self._memory.update(list(new.items())[: max(0, room)])
        width = self.model.text_front.width
        padded = torch.zeros(len(keys), max(map(len, keys)), width)
        for row, key in zip(padded, keys, strict=True):
            row[: len(key)] = self._memory[key] if key in self._memory else new[key]
        return padded
