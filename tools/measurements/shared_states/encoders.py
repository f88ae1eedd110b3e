"""One encoder, three ways, and its time: CTranslate2 in INT8 and in float32, and transformers."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tools.recognizers.whisper_encoder import read_encoder

States = NDArray[np.float32]


def float_encoder(folder: Path) -> Any:
    """Return CTranslate2's model in `folder`, computing in float32."""
    import ctranslate2

    return ctranslate2.models.Whisper(str(folder), compute_type="float32", intra_threads=1)


def float_states(encoder: Any, features: NDArray[np.float32]) -> States:
    """Return the states `[N, F]` of `features`, `[M, T]`, from `float_encoder`."""
    import ctranslate2

    given = ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None]))
    return np.array(encoder.encode(given))[0]


class TransformersEncoder:
    """The weights of a CTranslate2 folder in the encoder of Hugging Face transformers."""

    def __init__(self, folder: Path) -> None:
        """Read the weights, rounded to INT8 as they may be, as floats."""
        self._encoder = read_encoder(folder).encoder.eval()
        self._positions = self._encoder.embed_positions.weight.detach().clone()

    @torch.inference_mode()
    def __call__(self, features: NDArray[np.float32]) -> States:
        """Return the states `[T / 2, F]` of `features`, `[M, T]`.

        transformers takes one length only, the longest: it is told that this one is.
        """
        steps = features.shape[1] // 2
        self._encoder.config.max_source_positions = steps
        places = torch.nn.Embedding.from_pretrained(self._positions[:steps])
        self._encoder.embed_positions = places
        found = self._encoder(torch.from_numpy(np.ascontiguousarray(features))[None])
        return found.last_hidden_state[0].numpy()


def difference(ours: States, theirs: States) -> dict[str, float]:
    """Return how far `ours` is from `theirs`, both `[N, F]`.

    `relative_error` is the norm of the difference over that of `theirs`; `lowest_cosine` the
    least cosine of two states of one place.
    """
    cosine = (ours * theirs).sum(axis=1)
    cosine = cosine / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    return {
        "relative_error": float(error),
        "mean_cosine": float(cosine.mean()),
        "lowest_cosine": float(cosine.min()),
    }


def cpu_ms(
    steps: Mapping[str, Callable[[], object]], *, rounds: int = 30, repeats: int = 1
) -> dict[str, float]:
    """Return the median of each step's time on the processor, in ms, over `rounds`.

    A step too short for the clock is run `repeats` times a round.
    """
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(repeats):
                step()
            taken[name].append((time.process_time() - start) * 1000.0 / repeats)
    return {name: float(np.median(values)) for name, values in taken.items()}
