"""Recordings joined to streams, each for a device of one name or of none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.measurements.vad.scenes import BACKGROUND_KINDS
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.benchmark.sound.joining import active_power, speech_blocks
from turbo_stream.evaluation.corpus.clip import read_clip

Row = dict[str, Any]

TALK_GAPS_S = (0.3, 1.5)
"""Between two lines of a dialogue, as a television plays them."""

APART_GAPS_S = (1.5, 2.2)
"""Longer than any end silence: every recording is an utterance of its own."""

SPEECH_DB = -26.0
"""Level of the speech where it is evened out, RMS in dB of full scale."""

ROOM_DB = -62.0
"""Level of the hiss of a quiet room, under everything."""

_CLIPS = 120
"""In one stream; a recorder that was interrupted begins the stream anew."""

_LONG_NOISE_S = 3.9


@dataclass(frozen=True)
class Plan:
    """A stream that is yet to be joined."""

    name: str
    rows: Sequence[Row]
    names: tuple[str, ...]
    """Names that a device has; each is measured by itself."""

    talk: bool = False
    """Lines that follow each other, as loud as they were recorded."""

    snr_db: float | None = None
    """Noise below the speech; None for a quiet room."""


@dataclass(frozen=True)
class Clip:
    """Where a recording lies in a stream, in samples."""

    row: Row
    start: int
    stop: int


def plans(rows: Sequence[Row], names: Sequence[str], snr_db: float | None) -> Iterator[Plan]:
    """Yield streams of `rows`: what has a `device_name` for it, other rows for each of `names`.

    Rows of another language than English are left out.
    """
    groups: dict[tuple[str, str, str | None], list[Row]] = {}
    for row in rows:
        if not str(row.get("lang") or "en").startswith("en"):
            continue
        key = (str(row.get("set") or "talk"), str(row.get("label")), row.get("device_name"))
        groups.setdefault(key, []).append(row)
    noise = "clean" if snr_db is None else f"{snr_db:g}dB"
    for (of_set, label, own), members in sorted(groups.items(), key=lambda item: str(item[0])):
        talk = own is None and label != "directed"
        for part, first in enumerate(range(0, len(members), _CLIPS)):
            name = "_".join([of_set, label, own or "-", noise, str(part)]).replace(" ", "-")
            chosen = members[first : first + _CLIPS]
            yield Plan(name, chosen, (own,) if own else tuple(names), talk, snr_db)


def join(plan: Plan, noises: Sequence[Row], seed: int = 1) -> tuple[NDArray[np.int16], list[Clip]]:
    """Return the samples of a stream, and where each recording lies; the same each time."""
    rng = np.random.default_rng([seed, *plan.name.encode()])
    pool = [
        row
        for row in noises
        if row["kind"].startswith(BACKGROUND_KINDS) and row["duration"] >= _LONG_NOISE_S
    ]
    parts: list[NDArray[np.float64]] = []
    clips: list[Clip] = []
    at = 0
    for row in plan.rows:
        clip = _samples(row)
        if not plan.talk:
            power = active_power(clip, speech_blocks(clip)[0])
            clip = clip * np.sqrt(10 ** (SPEECH_DB / 10) / power)
        gap = int(rng.uniform(*(TALK_GAPS_S if plan.talk else APART_GAPS_S)) * SAMPLE_RATE)
        part = np.concatenate([np.zeros(gap), clip])
        if plan.snr_db is not None:
            noise = np.resize(_samples(pool[rng.integers(len(pool))]), part.size)
            power = max(float(np.mean(noise**2)), 1e-12)
            part += noise * np.sqrt(10 ** ((SPEECH_DB - plan.snr_db) / 10) / power)
        parts.append(part)
        clips.append(Clip(row, at + gap, at + part.size))
        at += part.size
    parts.append(np.zeros(int(APART_GAPS_S[1] * SAMPLE_RATE)))
    return _finished(np.concatenate(parts), rng), clips


def noise_stream(noises: Sequence[Row], seed: int) -> NDArray[np.int16]:
    """Return all recordings of noise and music one after the other, in an order by `seed`.

    With seed 0 each is as loud as it was recorded; else at a random level, and over half of them
    lies another one.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for number in rng.permutation(len(noises)).tolist():
        clip = _samples(noises[number])
        if seed:
            clip = _at_level(clip, rng.uniform(-50, -20))
            if rng.random() < 0.5:
                other = _samples(noises[int(rng.integers(len(noises)))])
                clip = clip + np.resize(_at_level(other, rng.uniform(-50, -20)), clip.size)
        parts += [clip, np.zeros(SAMPLE_RATE // 2)]
    return _finished(np.concatenate(parts), rng)


def _samples(row: Row) -> NDArray[np.float64]:
    samples = read_clip(row["audio_filepath"]) / 32768
    return samples - samples.mean()


def _at_level(clip: NDArray[np.float64], level_db: float) -> NDArray[np.float64]:
    return clip * np.sqrt(10 ** (level_db / 10) / max(float(np.mean(clip**2)), 1e-12))


def _finished(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    samples = samples + rng.normal(0, 10 ** (ROOM_DB / 20), samples.size)
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
