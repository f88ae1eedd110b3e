"""Clips of one utterance each, joined to a stream in which the end of all speech is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples, to_seconds
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.corpus.spans import Span
from turbo_stream.segmentation.level import block_levels


def room_noise(samples: int, level_db: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return white noise, `[samples]` in [-1, 1], with an RMS of `level_db` dB of full scale."""
    return rng.normal(0, 10 ** (level_db / 20), samples)


def quiet_room(seconds: float, level_db: float = -60.0) -> NDArray[np.int16]:
    """Return `seconds` of a quiet room, `[N]` at 16 kHz; the same each time."""
    noise = room_noise(to_samples(seconds), level_db, np.random.default_rng(0))
    return np.clip(np.round(noise * 32768), -32768, 32767).astype(np.int16)


BLOCK_SAMPLES = 160
"""Samples (10 ms) of which it is said whether they hold speech."""


def speech_blocks(clip: NDArray[np.float64]) -> tuple[NDArray[np.bool_], bool]:
    """Return where `clip`, `[N]` in [-1, 1], holds speech, and whether that can be trusted.

    The first is `[N // BLOCK_SAMPLES]`. Speech is what lies 30 dB or less under the loud parts and
    9 dB above the quiet ones; bursts under 40 ms are left out, holes under 60 ms (closures) are
    filled. It can be trusted where the loud parts are 25 dB over the quiet ones.
    """
    pcm = np.round(clip * 32767).astype(np.int16)
    levels = np.maximum(*block_levels(pcm, BLOCK_SAMPLES)).astype(float)
    heard = levels[levels > -95]
    if not heard.size:
        return np.zeros(levels.size, bool), False
    loud, quiet = np.percentile(heard, 95), np.percentile(heard, 8)
    blocks = levels > max(loud - 30, min(quiet + 9, loud - 12))
    blocks = _without_runs(blocks, True, 4)
    blocks = _without_runs(blocks, False, 6)
    return blocks, bool(loud - quiet >= 25 or quiet == loud)


def active_power(clip: NDArray[np.float64], blocks: NDArray[np.bool_]) -> float:
    """Return the mean power of the blocks of `clip` that hold speech; of all if none does."""
    whole = clip[: blocks.size * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    return float(np.mean(whole[blocks] ** 2)) if blocks.any() else float(np.mean(clip**2)) + 1e-12


def _without_runs(blocks: NDArray[np.bool_], value: bool, shorter_than: int) -> NDArray[np.bool_]:
    """Return `blocks` with runs of `value` of fewer blocks turned over, holes at the edges kept."""
    edges = np.flatnonzero(np.diff(np.r_[~value, blocks, ~value] == value))
    out = blocks.copy()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inside = value or (start > 0 and stop < blocks.size)
        if stop - start < shorter_than and inside:
            out[start:stop] = not value
    return out


SPEECH_DB = -26.0
"""Level of the speech of every clip, RMS in dB of full scale."""

ROOM_DB = -60.0
"""Level of the noise under clips and gaps alike: a quiet room."""

_GAP_S = (1.2, 2.5)
"""Silence between two clips: longer than any end silence."""

_SHORTEST_BLOCKS = 15
"""Clips with less speech than 150 ms are left out: cuts that missed their word."""

_LONGEST_S = 15.0
"""Longer clips are left out: the segmenter would have to cut them."""

_FADE_SAMPLES = SAMPLE_RATE // 50


@dataclass(frozen=True)
class Joined:
    """A stream, and how many clips it lacks because nobody can say where their speech is."""

    stream: Stream
    left_out: int


def join_clips(name: str, items: Sequence[Item], seconds: float, seed: int) -> Joined:
    """Return about `seconds` of `items` in random order, 1.2 to 2.5 s of a quiet room between them.

    The span of a clip runs from the first to the last sound of its speech by the energy of the
    clip itself, within 10 ms. Clips over 15 s, with next to no speech, or with so much noise
    that their energy does not tell where the speech is, are left out.

    Raises:
        InputError: a clip cannot be read, or none can be used.
    """
    rng = np.random.default_rng(seed)
    pieces: list[NDArray[np.int16]] = []
    spans: list[Span] = []
    at = left_out = 0
    for number in rng.permutation(len(items)):
        item = items[number]
        clip = read_clip(item.path, item.offset_s, item.duration_s) / 32768
        clip = clip[: len(clip) // BLOCK_SAMPLES * BLOCK_SAMPLES] - clip.mean()
        blocks, trusted = speech_blocks(clip)
        if not trusted or blocks.sum() < _SHORTEST_BLOCKS or to_seconds(len(clip)) > _LONGEST_S:
            left_out += 1
            continue
        gap = np.zeros(int(rng.uniform(*_GAP_S) * SAMPLE_RATE))
        first, last = np.flatnonzero(blocks)[[0, -1]] * BLOCK_SAMPLES
        start = at + len(gap)
        spans.append(
            Span(
                to_seconds(start + int(first)),
                to_seconds(start + int(last) + BLOCK_SAMPLES),
                item.row.get("label") or "speech",
                item.text,
            )
        )
        pieces += [_in_room(gap, rng), _in_room(_faded(clip * _gain(clip, blocks)), rng)]
        at = start + len(clip)
        if to_seconds(at) >= seconds:
            break
    if not spans:
        raise InputError(
            f"{name}: none of {len(items)} clips can be used; give clips of up to 15 s with speech "
            "that is 25 dB louder than the quiet before or after it"
        )
    pieces.append(_in_room(np.zeros(int(_GAP_S[1] * SAMPLE_RATE)), rng))
    return Joined(Stream(name, np.concatenate(pieces), tuple(spans)), left_out)


def _in_room(sound: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    """Return `sound`, `[N]` in [-1, 1], with the noise of a quiet room under it."""
    mixed = sound + room_noise(len(sound), ROOM_DB, rng)
    return np.clip(np.round(mixed * 32767), -32768, 32767).astype(np.int16)


def _gain(clip: NDArray[np.float64], blocks: NDArray[np.bool_]) -> float:
    return float(np.sqrt(10 ** (SPEECH_DB / 10) / active_power(clip, blocks)))


def _faded(clip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `clip` without the click that the edge of a noisy one would make."""
    size = min(_FADE_SAMPLES, len(clip) // 2)
    ramp = np.linspace(0, 1, size)
    faded = clip.copy()
    faded[:size] *= ramp
    faded[len(clip) - size :] *= ramp[::-1]
    return faded
