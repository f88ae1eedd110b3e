"""Streams of single recordings whose ends are known, each room going on after its clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.measurements.vad.scenes import RATE, SHORTEST_BLOCKS, Scene, Span, make_noise, read_clip
from tools.measurements.vad.scenes import speaker_streams as groups_of_clips
from training.end_of_turn.pauses import room_tone
from turbo_stream.benchmark.sound.joining import BLOCK_SAMPLES as BLOCK
from turbo_stream.benchmark.sound.joining import active_power, speech_blocks

CLIPS_PER_STREAM = 12

_TAIL_BLOCKS = 6
"""A clip that stops less than 60 ms after its speech was cut in the middle of it."""


@dataclass(frozen=True)
class Stream:
    """A scene of one collection."""

    scene: Scene
    collection: str


def _clips(rows: list[dict], count: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return up to `count` random clips that do not stop in the middle of a word."""
    found: list[NDArray[np.float64]] = []
    for index in rng.permutation(len(rows)):
        clip = read_clip(rows[index])
        clip = clip[: clip.size // BLOCK * BLOCK]
        blocks, trusted = speech_blocks(clip)
        spoken = np.flatnonzero(blocks)
        whole = len(spoken) >= SHORTEST_BLOCKS and blocks.size - spoken[-1] > _TAIL_BLOCKS
        if trusted and whole:
            found.append(clip)
        if len(found) == count:
            break
    return found


def _joined(
    name: str,
    collection: str,
    clips: list[NDArray[np.float64]],
    noise: tuple[NDArray[np.float64], float, float] | None,
    rng: np.random.Generator,
) -> Scene:
    """Return `clips` one after the other, 1.2 to 2 s of their own room between them.

    `noise` is a noise, its distance in dB, and the level of the speech in dB of full scale.
    """
    parts: list[NDArray[np.floating]] = []
    spans: list[Span] = []
    at = 0
    for clip in clips:
        blocks, trusted = speech_blocks(clip)
        if noise is not None:
            clip = clip * np.sqrt(10 ** (noise[2] / 10) / active_power(clip, blocks))
        before, after = (int(rng.uniform(60, 100)) * BLOCK for _ in range(2))
        tone = room_tone(clip.astype(np.float32), before + after, rng)
        spoken = np.flatnonzero(blocks)
        at += before
        start, stop = at + int(spoken[0]) * BLOCK, at + (int(spoken[-1]) + 1) * BLOCK
        spans.append(Span(at, at + clip.size, start, stop, trusted, collection))
        parts += [tone[:before], clip, tone[before:]]
        at += clip.size + after
    mixed = np.concatenate(parts)
    if noise is not None:
        wave, snr_db, level_db = noise
        gain = np.sqrt(10 ** ((level_db - snr_db) / 10) / np.mean(wave**2))
        mixed = mixed + np.resize(wave, mixed.size) * gain
    pcm = np.clip(np.round(mixed * 32767), -32768, 32767).astype(np.int16)
    nothing = np.zeros(pcm.size // BLOCK, bool)
    return Scene(name, pcm, spans, nothing, nothing)


def build_streams(
    rows: list[dict],
    noises: list[dict],
    collections: tuple[str, ...],
    count: int,
    seed: int,
    snr_db: float = 10.0,
) -> list[Stream]:
    """Return streams of `count` clips of each of `collections`: clean, and in real noise."""
    streams: list[Stream] = []
    for collection in collections:
        rng = np.random.default_rng(seed)
        mine = [
            row
            for row in rows
            if row["set"] == collection and row.get("style") != "false_activation"
        ]
        clips = _clips(mine, count, rng)
        for start in range(0, len(clips), CLIPS_PER_STREAM):
            part = clips[start : start + CLIPS_PER_STREAM]
            noise = make_noise("real", rows, noises, rng), snr_db, rng.uniform(-38.0, -20.0)
            streams.append(Stream(_joined("clean", collection, part, None, rng), collection))
            loud = f"real {snr_db:.0f} dB"
            streams.append(Stream(_joined(loud, collection, part, noise, rng), collection))
    return streams


def speaker_streams(
    rows: list[dict], noises: list[dict], count: int, seed: int, snr_db: float = 10.0
) -> list[Stream]:
    """Return streams of `count` speakers (or contributors) with 8 to 12 of their clips each."""
    rng = np.random.default_rng(seed)
    streams: list[Stream] = []
    for group in groups_of_clips(rows, count, rng):
        collection = group[0]["set"]
        clips = _clips(group, CLIPS_PER_STREAM, rng)
        if not clips:
            continue
        noise = make_noise("real", rows, noises, rng), snr_db, rng.uniform(-38.0, -20.0)
        for name, around in (("clean", None), (f"real {snr_db:.0f} dB", noise)):
            streams.append(Stream(_joined(name, collection, clips, around, rng), collection))
    return streams


def seconds(streams: list[Stream]) -> float:
    """Return how much sound `streams` hold."""
    return sum(stream.scene.pcm.size for stream in streams) / RATE
