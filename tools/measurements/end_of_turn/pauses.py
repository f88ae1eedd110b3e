"""The pauses of one collection as arrays, and the file that keeps them."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.files import write_bytes
from turbo_stream.errors import InputError

FOR_EVER_MS = math.inf
"""Silence of a pause after which the patient segmenter ended the utterance."""


@dataclass(frozen=True)
class Pauses:
    """`N` pauses in the order of time, stream by stream; those outside of all clips are not here.

    Each is one where the segmenter would ask whether the speaker has finished.
    """

    condition: NDArray[np.str_]
    """`[N]`, of the stream."""

    clip: NDArray[np.int64]
    """`[N]`: number of the clip, over all streams of the collection."""

    last: NDArray[np.bool_]
    """`[N]`: the last of its clip: its end, unless the collection is blind."""

    silence_ms: NDArray[np.float64]
    """`[N]`: silence up to where speech goes on, as the segmenter counts it."""

    voiced_ms: NDArray[np.float64]
    """`[N]`: voice in the utterance so far."""

    lag_ms: NDArray[np.float64]
    """`[N]`: from the true end of the clip's speech to where the segmenter begins to count."""

    log_odds: NDArray[np.float64]
    """`[N]`: that the speaker has finished, by the head of the package."""

    public: NDArray[np.float64]
    """`[N]`: probability of the same by smart-turn; NaN where it was not asked."""

    windows: NDArray[np.float16]
    """`[N, W]`: what a head reads."""

    def __len__(self) -> int:
        """Return `N`."""
        return len(self.clip)

    def save(self, path: Path) -> None:
        """Write them to `path`, whole or not at all."""
        kept = io.BytesIO()
        np.savez_compressed(kept, **{one.name: getattr(self, one.name) for one in fields(self)})
        write_bytes(path, kept.getvalue())


def joined(parts: Sequence[Pauses]) -> Pauses:
    """Return the pauses of `parts`, one after the other; at least one."""
    return Pauses(
        **{
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(Pauses)
        }
    )


def load_pauses(path: Path) -> Pauses:
    """Return what `Pauses.save` wrote; InputError for another file."""
    try:
        with np.load(path) as kept:
            return Pauses(**{one.name: kept[one.name] for one in fields(Pauses)})
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise InputError(f"{path} holds no pauses ({error}); delete it") from error
