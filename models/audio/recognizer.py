"""An audio tower that reads what the recognizer's encoder has made of the sound already."""

import json

import torch
from torch import Tensor

from models.config import ModelError, TurboConfig
from models.tower import Front, average_steps

RECOGNIZER = "recognizer"
"""Name of this tower."""


def states_width(config: TurboConfig) -> int:
    """Return the width of the states that a network of `config` reads.

    Raises:
        ModelError: `config` does not say whose states they are.
    """
    try:
        width = json.loads(config.audio_architecture)["width"]
    except (ValueError, KeyError, TypeError):
        width = None
    if not isinstance(width, int) or width < 1:
        raise ModelError(
            "audio=recognizer: whose states it reads is not known; "
            "give data.recognizer=DIR, the folder of a CTranslate2 Whisper"
        )
    return width


class StatesFront(Front):
    """Averages neighbouring states. It holds no weights: they are the recognizer's."""

    def __init__(self, config: TurboConfig) -> None:
        """Take the width of the states from `config`; `audio_pool` of them become one frame.

        Raises:
            ModelError: see `states_width`.
        """
        super().__init__(states_width(config))
        self.every = config.audio_pool
        self.source = config.audio_architecture

    def extra_repr(self) -> str:
        """Return all settings: kept features stand under a digest of the printed front."""
        return f"{super().extra_repr()}, source={self.source}"

    def forward(self, states: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames `[B, N, F]` and their mask, from `states` `[B, T, F]`, 50 a second.

        The first `length` `[B]` of a row count; what follows them does not, and a row of none has
        a mask of zeros.
        """
        step = torch.arange(states.shape[1], device=states.device)
        mask = (step[None, :] < length[:, None]).to(states.dtype)
        return average_steps(states * mask[:, :, None], mask, self.every)
