"""A part of the plan, made by one worker: sound files and rows."""

from __future__ import annotations

from pathlib import Path

from tools.corpus.background import Background
from tools.corpus.clip import PlannedClip
from tools.corpus.render import render
from tools.corpus.sound_file import write_flac
from tools.corpus.synthesis import clean_speech
from turbo_stream.timebase import SAMPLE_RATE


def make_part(clips: list[PlannedClip], out: Path) -> tuple[list[dict], list[dict]]:
    """Make `clips` as FLAC files under `out`; return manifest rows and what failed.

    A clip that an engine refuses takes its pair with it, so that the classes stay balanced.
    """
    background = Background(out / "background")
    speech = clean_speech(clips)
    rows, refused = [], {}
    for clip in clips:
        if clip.number not in speech:
            refused[clip.number // 2] = {"text": clip.item.text, "voice": clip.voice.name}
    for clip in clips:
        if clip.number // 2 in refused:
            continue
        pcm = render(speech[clip.number], clip, background)
        path = f"clips/{clip.number // 1000:03d}/{clip.number:06d}.flac"
        write_flac(out / path, pcm)
        rows.append(_row(clip, path, len(pcm)))
    return rows, list(refused.values())


def _row(clip: PlannedClip, path: str, length: int) -> dict:
    item, voice, scene, context = clip.item, clip.voice, clip.scene, clip.context
    licenses = [f"text: {item.license}", f"voice: {voice.license}"]
    licenses += [
        f"{kind}: {recording.license}"
        for kind, recording in (("noise", scene.noise_recording), ("room", scene.response))
        if recording is not None
    ]
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
        "channel": scene.channel,
        "facing": clip.facing,
        "distance_m": round(scene.room.distance_m, 2) if scene.room else None,
        "reverberation_s": scene.room.reverberation_s if scene.room else None,
        "noise": scene.noise,
        "snr_db": scene.snr_db,
        "overlap_db": scene.overlap_db,
        "clipped": scene.drive_db is not None,
        "codec": scene.codec,
        "after_s": context.after_s if context else None,
        "previous_text": context.previous_text if context else None,
        "pair": clip.number // 2,
        "source": "rej_corpus",
        "text_source": item.source,
        "fold": item.fold,
        "device_name": item.device_name,
        "shippable": True,
        "license": "; ".join(licenses),
    }
