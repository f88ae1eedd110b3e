"""A part of the plan, made by one worker: sound files and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tools.corpus.background import Background
from tools.corpus.plan import PlannedClip
from tools.corpus.recording import RecordedClip
from tools.corpus.render import render
from tools.corpus.row import recorded_row, spoken_row
from tools.corpus.sound_file import write_flac
from tools.corpus.synthesis import clean_speech
from training.data.augment import speech_edges
from turbo_stream.evaluation.corpus.clip import read_clip

Made = tuple[list[dict], list[dict]]
"""Rows of the manifest, and what was refused."""


def make_part(
    clips: Sequence[PlannedClip | RecordedClip],
    out: Path,
    talkers: Mapping[str, Sequence[PlannedClip]],
) -> Made:
    """Make the FLAC files of `clips`, all spoken or all recorded, under `out`.

    `talkers` are those of the background, by fold.
    """
    background = Background(out / "background", talkers)
    background.prepare(clip.scene for clip in clips)
    spoken = [clip for clip in clips if isinstance(clip, PlannedClip)]
    recorded = [clip for clip in clips if isinstance(clip, RecordedClip)]
    return _speak(spoken, out, background) if spoken else _put(recorded, out, background)


def _speak(clips: list[PlannedClip], out: Path, background: Background) -> Made:
    """Make synthetic clips.

    One that an engine refuses takes its pair with it, so that the classes stay balanced.
    """
    speech = clean_speech(clips)
    refused = {
        clip.number // 2: {"text": clip.item.text, "voice": clip.voice.name}
        for clip in clips
        if clip.number not in speech
    }
    rows = []
    for clip in clips:
        if clip.number // 2 in refused:
            continue
        pcm = render(
            speech[clip.number],
            clip.scene,
            background,
            number=clip.number,
            level_db=clip.level_db,
            facing=clip.facing,
        )
        path = _path("clips", clip.number)
        write_flac(out / path, pcm)
        rows.append(spoken_row(clip, path, len(pcm)))
    return rows, list(refused.values())


def _put(clips: list[RecordedClip], out: Path, background: Background) -> Made:
    """Put recordings into their scenes; one in which nothing is heard is refused."""
    rows, refused = [], []
    for clip in clips:
        item = clip.item
        samples = read_clip(item.path, item.offset_s, item.duration_s).astype(np.float32) / 32768
        if not samples.any():
            refused.append({"audio_filepath": item.row["audio_filepath"], "silent": True})
            continue
        start, end = speech_edges(samples)
        pcm = render(
            samples[start:end],
            clip.scene,
            background,
            number=clip.number,
            level_db=clip.level_db,
        )
        path = _path("recordings", clip.number)
        write_flac(out / path, pcm)
        rows.append(recorded_row(clip, path, len(pcm)))
    return rows, refused


def _path(folder: str, number: int) -> str:
    return f"{folder}/{number // 1000:03d}/{number:06d}.flac"
