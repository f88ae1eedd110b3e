"""Rows of the manifest."""

from __future__ import annotations

from typing import Any

from tools.corpus.plan import PlannedClip
from tools.corpus.recording import RecordedClip
from tools.corpus.scene import Scene
from turbo_stream._util.timebase import SAMPLE_RATE


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
