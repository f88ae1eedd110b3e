"""A stretch of sound, and when the speech in it begins and ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.vad_scenes import BLOCK, SHORTEST_BLOCKS, speech_blocks
from turbo_stream.errors import InputError
from turbo_stream.evaluation.clip import read_clip
from turbo_stream.evaluation.manifests import read_manifest
from turbo_stream.timebase import SAMPLE_RATE, to_samples, to_seconds

GAP_S = 1.6
"""Between the clips of a manifest: whoever waits 600 ms has answered before the next begins."""

SILENCE_AFTER_S = 2.5
"""Faint hiss at the end, in which the last answer is given."""

_HISS = 10.0
"""Its standard deviation, int16 units: digital silence is not what a microphone gives."""


@dataclass(frozen=True)
class Scene:
    """What every program is given to hear."""

    pcm: NDArray[np.int16]
    """`[N]`, 16 kHz mono."""

    spans_s: list[tuple[float, float]]
    """Where somebody speaks, in order; the truth that answers are measured against."""

    @property
    def speech_s(self) -> float:
        """How long somebody speaks."""
        return sum(stop - start for start, stop in self.spans_s)


def load_scene(path: Path, seconds: float) -> Scene:
    """Return the first utterances of `path` that end within `seconds`.

    `path` is a recording beside which a JSON file of the same name lists `segments` with
    `start_s` and `end_s`, or a manifest of single utterances, which are joined with gaps; their
    edges are then those of the energy of the clips, and noisy clips are left out.

    Raises:
        InputError: the recording has no such file beside it, or nothing ends within `seconds`.
    """
    manifest = path.is_dir() or path.suffix.lower() in (".jsonl", ".json", ".csv")
    scene = _of_manifest(path, seconds) if manifest else _of_recording(path, seconds)
    if not scene.spans_s:
        raise InputError(f"{path}: no utterance ends within {seconds:g} s; give more --seconds")
    return scene


def _of_recording(path: Path, seconds: float) -> Scene:
    truth = path.with_suffix(".json")
    if not truth.is_file():
        raise InputError(
            f"{path} has no {truth.name} beside it that says when somebody speaks; write one with "
            '{"segments": [{"start_s": .., "end_s": ..}]}, or give a manifest of single utterances'
        )
    listed = json.loads(truth.read_text("utf-8"))["segments"]
    spans = [(part["start_s"], part["end_s"]) for part in listed]
    heard = [span for span in spans if span[1] <= seconds]
    pcm = read_clip(path)
    if len(heard) < len(spans):
        pcm = pcm[: to_samples(spans[len(heard)][0])]
    return Scene(np.concatenate((pcm, _hiss(SILENCE_AFTER_S))), heard)


def _of_manifest(path: Path, seconds: float) -> Scene:
    parts, spans, at = [_hiss(GAP_S)], [], to_samples(GAP_S)
    for item in read_manifest(path):
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        blocks, trusted = speech_blocks(pcm / 32768)
        if not trusted or blocks.sum() < SHORTEST_BLOCKS:
            continue
        if to_seconds(at + len(pcm)) > seconds:
            break
        first, last = np.flatnonzero(blocks)[[0, -1]]
        spans.append((to_seconds(at + first * BLOCK), to_seconds(at + (last + 1) * BLOCK)))
        parts += [pcm, _hiss(GAP_S)]
        at += len(pcm) + to_samples(GAP_S)
    return Scene(np.concatenate((*parts, _hiss(SILENCE_AFTER_S))), spans)


def _hiss(seconds: float) -> NDArray[np.int16]:
    noise = np.random.default_rng(0).normal(0, _HISS, round(seconds * SAMPLE_RATE))
    return noise.astype(np.int16)
