"""What the end-of-turn head reads of recordings: windows of the frames of the frozen front."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from models.end_of_turn import EndOfTurn
from models.turbo import Turbo
from training.data.clip import Wave
from turbo_stream.detection.speech_part import speech_part


def as_given(model: Turbo, wave: Wave) -> Wave:
    """Return `wave` `[T]` as a package of `model` gives it to the network.

    That is its last `max_samples`, cut to their speech where the model's sounds are.
    """
    wave = wave[-model.config.max_samples :]
    return np.ascontiguousarray(speech_part(wave) if model.config.cut_to_speech else wave)


@torch.inference_mode()
def window_rows(model: Turbo, waves: Sequence[Wave], *, batch: int = 16) -> NDArray[np.float16]:
    """Return what the head reads of each of `waves`: windows of the front's frames `[M, W * F]`."""
    order = sorted(range(len(waves)), key=lambda index: len(waves[index]))
    rows: list[NDArray[np.float16]] = [np.zeros(0, np.float16)] * len(waves)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        length = torch.tensor([len(waves[index]) for index in chosen])
        padded = torch.zeros(len(chosen), int(length.max()))
        for row, index in zip(padded, chosen, strict=True):
            row[: len(waves[index])] = torch.from_numpy(waves[index])
        windows = EndOfTurn.windows(*model.audio_front(padded, length)).half().numpy()
        for index, row in zip(chosen, windows, strict=True):
            rows[index] = row
    return np.stack(rows)
