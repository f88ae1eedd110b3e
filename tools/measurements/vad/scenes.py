"""Long streams with known speech, made of single recordings: clips, gaps, noise."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from turbo_stream.benchmark.sound.joining import BLOCK_SAMPLES as BLOCK
from turbo_stream.benchmark.sound.joining import active_power, speech_blocks

RATE = 16_000

SHORTEST_BLOCKS = 15
"""Clips with less speech than 150 ms are left out: cuts that missed their word."""

BACKGROUND_KINDS = ("kitchen", "room background", "noise", "ESC-50", "nonspeech")
EVENT_KINDS = ("mic tap", "cough", "sniff", "burp", "short/background")


@dataclass(frozen=True)
class Span:
    """One clip in a scene, in samples of the scene."""

    clip_start: int
    clip_stop: int

    start: int
    """First sample of speech by the energy of the clean clip."""

    stop: int
    """One past the last sample of speech."""

    trusted: bool
    """The clip is clean enough (15 dB) for its energy to tell where the speech is."""

    set: str


@dataclass(frozen=True)
class Scene:
    """A stream and the truth about it."""

    condition: str
    pcm: NDArray[np.int16]
    spans: list[Span]

    speech: NDArray[np.bool_]
    """`[N // BLOCK]`: blocks that hold speech, by the clean clips."""

    silence: NDArray[np.bool_]
    """`[N // BLOCK]`: blocks at least 0.25 s away from any clip."""


def read_manifest(path: Path) -> list[dict]:
    """Return the rows of a JSONL manifest, with `audio_filepath` made absolute."""
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    for row in rows:
        row["audio_filepath"] = path.parent / row["audio_filepath"]
    return rows


def speaker_streams(rows: list[dict], count: int, rng: np.random.Generator) -> list[list[dict]]:
    """Return `count` random groups (speakers, where known) with their clips of over 1 s speech.

    Groups of fewer than eight such clips are left out, at most twelve are taken of each.
    """
    groups: dict[str, list[dict]] = {}
    for row in rows:
        spoken = row.get("style") != "false_activation"
        if spoken and row.get("group") and (row.get("speech_s") or 0) >= 1:
            groups.setdefault(f"{row['set']} {row['group']}", []).append(row)
    large = [members for _, members in sorted(groups.items()) if len(members) >= 8]
    picks = rng.permutation(len(large))[:count]
    return [[large[i][k] for k in rng.permutation(len(large[i]))[:12]] for i in picks]


def read_clip(row: dict) -> NDArray[np.float64]:
    """Return the clip of a manifest row, `[N]` in [-1, 1]. Raises `ValueError` unless 16 kHz."""
    samples, rate = soundfile.read(row["audio_filepath"])
    if rate != RATE or samples.ndim != 1:
        raise ValueError(f"{row['audio_filepath']}: {rate} Hz; mono at {RATE} Hz is needed")
    return samples - samples.mean()


def sample_clips(rows: list[dict], per_set: int, rng: np.random.Generator) -> list[dict]:
    """Return `per_set` random rows of every `set`, in random order.

    Rows of style `false_activation` are left out: nobody knows whether they hold speech.
    """
    rows = [row for row in rows if row.get("style") != "false_activation"]
    chosen: list[dict] = []
    for name in sorted({row["set"] for row in rows}):
        members = [row for row in rows if row["set"] == name]
        picks = rng.permutation(len(members))[:per_set]
        chosen += [members[i] for i in picks]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def assemble(
    condition: str,
    clips: list[dict],
    noise: NDArray[np.float64] | None,
    snr_db: float | None,
    level_db: float | None,
    rng: np.random.Generator,
) -> Scene:
    """Return a scene of `clips` in random order with gaps of 0.8 to 3 s.

    `level_db` is the level of the speech, dB of full scale (None: as recorded); `noise` is
    tiled over the whole scene `snr_db` below it. Without noise the gaps hold faint hiss.
    """
    parts: list[NDArray[np.float64]] = []
    spans: list[Span] = []
    speech: list[NDArray[np.bool_]] = []
    silence: list[NDArray[np.bool_]] = []
    at = 0

    def gap() -> None:
        nonlocal at
        blocks = int(rng.uniform(80, 300))
        parts.append(rng.normal(0, 3e-4, blocks * BLOCK))
        speech.append(np.zeros(blocks, bool))
        inner = np.ones(blocks, bool)
        inner[:25] = inner[-25:] = False
        silence.append(inner)
        at += blocks * BLOCK

    for row in clips:
        clip = read_clip(row)
        clip = clip[: clip.size // BLOCK * BLOCK]
        blocks, trusted = speech_blocks(clip)
        if blocks.sum() < SHORTEST_BLOCKS:
            continue
        if level_db is not None:
            clip = clip * np.sqrt(10 ** (level_db / 10) / active_power(clip, blocks))
        gap()
        first, last = np.flatnonzero(blocks)[[0, -1]]
        spans.append(
            Span(
                at,
                at + clip.size,
                at + int(first) * BLOCK,
                at + (int(last) + 1) * BLOCK,
                trusted,
                row["set"],
            )
        )
        parts.append(clip)
        speech.append(blocks)
        silence.append(np.zeros(blocks.size, bool))
        at += clip.size
    gap()
    mixed = np.concatenate(parts)
    if noise is not None and snr_db is not None and level_db is not None:
        tiled = np.resize(noise, mixed.size)
        mixed = mixed + tiled * np.sqrt(10 ** ((level_db - snr_db) / 10) / np.mean(noise**2))
    pcm = np.clip(np.round(mixed * 32767), -32768, 32767).astype(np.int16)
    return Scene(condition, pcm, spans, np.concatenate(speech), np.concatenate(silence))


def event_scene(noises: list[dict], rng: np.random.Generator) -> Scene:
    """Return a scene without any speech: taps, coughs, sniffs and rubbing, 1 to 3 s apart."""
    parts = []
    for row in noises:
        if row["kind"].startswith(EVENT_KINDS):
            parts += [rng.normal(0, 3e-4, int(rng.uniform(1, 3) * RATE)), read_clip(row)]
    pcm = np.clip(np.round(np.concatenate(parts) * 32767), -32768, 32767).astype(np.int16)
    blocks = pcm.size // BLOCK
    return Scene("events", pcm[: blocks * BLOCK], [], np.zeros(blocks, bool), np.ones(blocks, bool))


def make_noise(
    kind: str, speech: list[dict], noises: list[dict], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return about 10 s of noise: `white`, `pink`, `babble` (8 talkers), `real` or `music`."""
    seconds = 10
    if kind == "white":
        return rng.normal(0, 0.1, seconds * RATE)
    if kind == "pink":
        spectrum = np.fft.rfft(rng.normal(0, 1, seconds * RATE))
        spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 20))
        return np.fft.irfft(spectrum)
    if kind == "babble":
        talkers = [row for row in speech if row["set"] in ("audiobook", "read_sentences")]
        total = np.zeros(seconds * RATE)
        for _ in range(8):
            lines = [read_clip(talkers[i]) for i in rng.integers(0, len(talkers), 8)]
            voice = np.resize(np.concatenate(lines), total.size)
            total += voice / np.sqrt(np.mean(voice**2))
        return total
    kinds = ("music",) if kind == "music" else BACKGROUND_KINDS
    pool = [r for r in noises if r["kind"].startswith(kinds) and r["duration"] >= 3.9]
    return read_clip(pool[rng.integers(len(pool))])
