"""A part of the plan, made by one worker: its sound files and the rows of the manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.corpus.background import Background
from tools.corpus.plan import PlannedClip
from tools.corpus.recording import RecordedClip
from tools.corpus.render import render
from tools.corpus.scene import Scene
from tools.corpus.scene_sound import write_flac
from tools.corpus.synthesis import clean_speech
from training.data.augment import speech_edges
from training.data.clip import as_wave
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.evaluation.corpus.clip import read_clip

Made = tuple[list[dict], list[dict]]
"""Rows of the manifest, and what was refused."""


def make_part(
    clips: Sequence[PlannedClip | RecordedClip],
    out: Path,
    talkers: Mapping[str, Sequence[PlannedClip]],
    kokoro: Path | None = None,
) -> Made:
    """Make the FLAC files of `clips`, all spoken or all recorded, under `out`.

    `talkers` are those of the background, by fold; `kokoro` is the folder of that engine.
    """
    background = Background(out / "background", talkers, kokoro)
    background.prepare(clip.scene for clip in clips)
    spoken = [clip for clip in clips if isinstance(clip, PlannedClip)]
    recorded = [clip for clip in clips if isinstance(clip, RecordedClip)]
    return _speak(spoken, out, background, kokoro) if spoken else _put(recorded, out, background)


def _speak(
    clips: list[PlannedClip], out: Path, background: Background, kokoro: Path | None
) -> Made:
    """Make synthetic clips.

    One that an engine refuses takes its pair with it, so that the classes stay balanced.
    """
    speech = clean_speech(clips, kokoro)
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
        samples = as_wave(read_clip(item.path, item.offset_s, item.duration_s))
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


def spoken_row(clip: PlannedClip, path: str, length: int) -> dict[str, Any]:
    """Return the row of a synthetic clip of `length` samples at `path`."""
    item, voice, context = clip.item, clip.voice, clip.context
    return {
        "audio_filepath": path,
        "label": item.label,
        "text": item.text,
        "duration": round(length / SAMPLE_RATE, 3),
        "speaker": voice.name,
        "voice": voice.name,
        "engine": voice.engine,
        "rate": clip.rate,
        "pitch": clip.pitch,
        "tone": clip.tone,
        "level_db": clip.level_db,
        "style": clip.style.name if clip.style else None,
        "facing": clip.facing,
        **_of_scene(clip.scene),
        "after_s": context.after_s if context else None,
        "previous_text": context.previous_text if context else None,
        "before": item.before,
        "pair": clip.number // 2,
        "source": "rej_corpus",
        "text_source": item.source,
        "fold": item.fold,
        "device_name": item.device_name,
        "shippable": True,
        "license": _license([f"text: {item.license}", f"voice: {voice.license}"], clip.scene),
    }


def recorded_row(clip: RecordedClip, path: str, length: int) -> dict[str, Any]:
    """Return the row of a recording: its own columns, and those of the scene it was put into."""
    given = clip.item.row
    return {
        **{key: value for key, value in given.items() if key != "offset"},
        "audio_filepath": path,
        "duration": round(length / SAMPLE_RATE, 3),
        "level_db": clip.level_db,
        "style": None,
        "facing": None,
        **_of_scene(clip.scene),
        "after_s": None,
        "previous_text": None,
        "fold": clip.scene.fold,
        "shippable": bool(given.get("shippable", True)),
        "license": _license([str(given.get("license") or "unknown")], clip.scene),
    }


def _of_scene(scene: Scene) -> dict[str, Any]:
    return {
        "channel": scene.channel,
        "distance_m": round(scene.room.distance_m, 2) if scene.room else None,
        "reverberation_s": scene.room.reverberation_s if scene.room else None,
        "noise": scene.noise,
        "snr_db": scene.snr_db,
        "overlap_db": scene.overlap_db,
        "clipped": scene.drive_db is not None,
        "codec": scene.codec,
    }


def _license(parts: list[str], scene: Scene) -> str:
    given = (("noise", scene.noise_recording), ("room", scene.response))
    return "; ".join(parts + [f"{kind}: {sound.license}" for kind, sound in given if sound])
