"""What makes numbers of a sound: a frozen Whisper encoder's layers, or no more than its outside."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.audio.hugging_face import audio_architecture
from models.audio.whisper import WhisperLayers, WhisperStem
from models.hugging_face import read_model
from models.transformer import attention_bias
from training.data.clip import Wave
from training.data.features import front_digest
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.evaluation.figures.content_free import content_free

_BATCH = 10

Features = NDArray[np.float32]
"""`[N, layers, F]`."""


class Listener(Protocol):
    """Makes `Features` of sounds, each as if it were alone."""

    key: str
    """What they depend on beside the sound."""

    def __call__(self, waves: Sequence[Wave]) -> Features:
        """Return the features of `waves`, each `[T]`."""
        ...


class Outside:
    """Length, level and long-term spectrum: what is told without hearing a word."""

    key = "content-free"

    def __call__(self, waves: Sequence[Wave]) -> Features:
        """Return `[N, 1, F]`."""
        return np.array([content_free(wave) for wave in waves], np.float32)[:, None]


class WhisperStates:
    """Mean and deviation over time of what each layer of a frozen Whisper encoder says."""

    def __init__(self, folder: Path) -> None:
        """Load the encoder that `tools.recognizers whisper-encoder` wrote into `folder`.

        Raises:
            ModelError: there is none.
        """
        fields = json.loads(audio_architecture(str(folder)))
        source = read_model(str(folder))
        self.stem = WhisperStem(fields, sample_rate=SAMPLE_RATE, normalize=False).eval()
        self.encoder = WhisperLayers(fields, dropout=0.0).eval()
        self.stem.take(source)
        self.encoder.take(source)
        self.key = f"{front_digest(self.stem)} {front_digest(self.encoder)}"

    @torch.inference_mode()
    def __call__(self, waves: Sequence[Wave]) -> Features:
        """Return `[N, 1 + layers, 2 D]`: after the convolutions, and after each layer.

        A sound is as long as it is, not padded to Whisper's 30 s; the norm comes after the last
        layer.
        """
        order = sorted(range(len(waves)), key=lambda at: len(waves[at]))
        found: list[Features] = [np.zeros(0, np.float32)] * len(waves)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            length = torch.tensor([len(waves[at]) for at in chosen])
            padded = torch.zeros(len(chosen), int(length.max()))
            for row, at in zip(padded, chosen, strict=True):
                row[: len(waves[at])] = torch.from_numpy(waves[at])
            for at, vector in zip(chosen, self._pooled(padded, length).numpy(), strict=True):
                found[at] = vector
        return np.stack(found)

    def _pooled(self, padded: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        frames, mask = self.stem(padded, length)
        bias = attention_bias(mask)
        states = [frames]
        with torch.autocast("cpu", torch.bfloat16):
            for layer in self.encoder.layers:
                states.append(layer(states[-1], bias))
        states[-1] = self.encoder.norm(states[-1].float())
        kept = mask[:, :, None]
        pooled = []
        for state in states:
            mean = (state.float() * kept).sum(1) / kept.sum(1)
            variance = ((state.float() - mean[:, None]).square() * kept).sum(1) / kept.sum(1)
            pooled.append(torch.cat([mean, variance.sqrt()], dim=1))
        return torch.stack(pooled, 1)
