"""The worst mistakes of a run: wrong decisions, the surest first."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import TurboStreamError
from turbo_stream.evaluation.corpus.rows import Row

ReadAudio = Callable[[Row], NDArray[np.int16]]
"""Returns the sound of an item, `[N]` int16 at 16 kHz; may raise OSError or TurboStreamError."""

MAX_CLIP_S = 15.0
MAX_SOUND_BYTES = 6_000_000
"""Of all players of a report together, as FLAC."""


@dataclass(frozen=True)
class Mistake:
    """A wrong decision, ready to show."""

    item: Row
    kind: str
    """`false accept`, `false reject`, or `TRUTH taken for GUESS`."""

    sound: str | None = None
    """Data URI of a FLAC file."""

    no_sound: str | None = None
    """Why there is none."""


def worst_mistakes(items: Iterable[Row], threshold: float | None, limit: int) -> list[Mistake]:
    """Return up to `limit` mistakes, the surest first.

    Of false accepts and false rejects each gets half of the places as long as there are enough.
    Sure means: far from the threshold; for other labels, little probability for the truth.
    """
    accepts: list[tuple[float, Mistake]] = []
    rejects: list[tuple[float, Mistake]] = []
    for item in items:
        if item.get("directed_probability") is None:
            probabilities = item.get("probabilities") or {}
            guess = max(probabilities, key=probabilities.__getitem__, default=None)
            if guess is not None and guess != item["label"]:
                kind = f"{item['label']} taken for {guess}"
                accepts.append((probabilities.get(item["label"], 0.0), Mistake(item, kind)))
        elif threshold is not None:
            score = item["directed_probability"]
            if score >= threshold and item["label"] != DIRECTED:
                accepts.append((threshold - score, Mistake(item, "false accept")))
            elif score < threshold and item["label"] == DIRECTED:
                rejects.append((score - threshold, Mistake(item, "false reject")))
    for found in (accepts, rejects):
        found.sort(key=lambda entry: entry[0])
    half = limit - min(limit // 2, len(rejects))
    chosen = accepts[:half] + rejects[: limit - min(half, len(accepts))]
    return [mistake for _, mistake in sorted(chosen, key=lambda entry: entry[0])]


def with_sound(mistakes: Sequence[Mistake], read_audio: ReadAudio | None) -> list[Mistake]:
    """Return the mistakes with their sound, at most `MAX_CLIP_S` each, while the space lasts."""
    if read_audio is None:
        return list(mistakes)
    left = MAX_SOUND_BYTES
    found = []
    for mistake in mistakes:
        try:
            pcm = read_audio(mistake.item)[: to_samples(MAX_CLIP_S)]
            data = _flac(pcm) if len(pcm) else b""
        except (OSError, TurboStreamError) as error:
            reason = " ".join(str(error).split())
            found.append(Mistake(mistake.item, mistake.kind, no_sound=f"no sound: {reason}"))
            continue
        if not data or len(data) > left:
            reason = (
                "no sound: it is empty" if not data else "sound left out to keep the page small"
            )
            found.append(Mistake(mistake.item, mistake.kind, no_sound=reason))
            continue
        left -= len(data)
        uri = "data:audio/flac;base64," + base64.b64encode(data).decode("ascii")
        found.append(Mistake(mistake.item, mistake.kind, sound=uri))
    return found


def _flac(pcm: NDArray[np.int16]) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, pcm, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()
