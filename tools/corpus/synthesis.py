"""From planned clips to sound files, a part at a time."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tools.corpus.plan import PlannedClip
from tools.corpus.text_item import DIRECTED, TextItem
from tools.corpus.voices import VOICES, Voice
from tools.flite import speech_edges
from turbo_stream.timebase import SAMPLE_RATE

_MARGIN_S = 0.08
_PEAK_LIMIT = 0.99
_ESPEAK_WORDS_PER_MINUTE = 165
_FESTIVAL_SAY = """(define (say stretch text file)
  (Parameter.set 'Duration_Stretch stretch)
  (if (string-equal current-voice "cmu_us_slt_arctic_hts")
    (set! hts_engine_params
      (append cmu_us_slt_arctic_hts::hts_engine_params (list (list "-r" (/ 1.0 stretch))))))
  (let ((utt (eval (list 'Utterance 'Text text))))
    (utt.synth utt)
    (utt.save.wave utt file 'riff)))
"""


def speak_part(clips: list[PlannedClip], out: Path) -> tuple[list[dict], list[dict]]:
    """Speak `clips` into FLAC files under `out`; return manifest rows and what failed.

    A clip that an engine refuses takes its pair with it, so that the classes stay balanced.
    """
    rows, refused = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for group in _by_voice(clips).values():
            _speak(group, Path(folder))
        for clip in clips:
            samples = _finished(Path(folder, f"{clip.number}.wav"), clip)
            if samples is None:
                refused[clip.number // 2] = {"text": clip.item.text, "voice": clip.voice.name}
                continue
            path = out / _relative_path(clip)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            soundfile.write(unfinished, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
            unfinished.replace(path)
            rows[clip.number] = _row(clip, len(samples))
    kept = [row for number, row in sorted(rows.items()) if number // 2 not in refused]
    return kept, list(refused.values())


def silent_voices() -> list[Voice]:
    """Return the voices that this machine cannot speak with, found by trying each."""
    word = TextItem("hello", DIRECTED, "probe", "", "train")
    clips = [PlannedClip(at, word, voice, 1.0, 1.0, -26.0) for at, voice in enumerate(VOICES)]
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            _speak([clip], Path(folder))
        heard = [_finished(Path(folder, f"{clip.number}.wav"), clip) for clip in clips]
    return [clip.voice for clip, samples in zip(clips, heard, strict=True) if samples is None]


def _by_voice(clips: list[PlannedClip]) -> dict[str, list[PlannedClip]]:
    groups = defaultdict(list)
    for clip in clips:
        groups[clip.voice.name].append(clip)
    return groups


def _relative_path(clip: PlannedClip) -> str:
    return f"clips/{clip.number // 1000:03d}/{clip.number:06d}.flac"


def _speak(clips: list[PlannedClip], folder: Path) -> None:
    """Let the engine write `NUMBER.wav` into `folder`; what it refuses is simply not there."""
    voice = clips[0].voice
    if shutil.which(voice.engine) is None:
        return
    if voice.engine == "festival":
        lines = [f"(voice_{voice.engine_voice})", _FESTIVAL_SAY]
        lines += [
            f"(unwind-protect (say {_stretch(clip):.4f} "
            f'"{clip.item.text}" "{folder}/{clip.number}.wav") nil)'
            for clip in clips
        ]
        script = folder / f"{voice.name}.scm"
        script.write_text("\n".join(lines), encoding="ascii")
        subprocess.run(["festival", "-b", str(script)], capture_output=True, check=False)
        return
    for clip in clips:
        path = f"{folder}/{clip.number}.wav"
        if voice.engine == "flite":
            setting = f"duration_stretch={_stretch(clip):.4f}"
            command = ["flite", "-voice", voice.engine_voice, "--setf", setting]
            command += ["-t", clip.item.text, "-o", path]
        else:
            speed = str(round(_ESPEAK_WORDS_PER_MINUTE / _stretch(clip)))
            command = ["espeak-ng", "-v", voice.engine_voice, "-s", speed, "-w", path]
            command.append(clip.item.text)
        subprocess.run(command, capture_output=True, check=False)


def _stretch(clip: PlannedClip) -> float:
    """Return how much longer the engine must speak: `_finished` then plays it `pitch` faster."""
    return clip.pitch / clip.rate


def _finished(path: Path, clip: PlannedClip) -> NDArray[np.float32] | None:
    """Return the clip at 16 kHz, pitch, edges and level set; None if there is no speech in it.

    Pitch is played speed: it moves the formants with the fundamental, as a talker of another size
    does, and works alike for every engine.
    """
    if not path.is_file():
        return None
    samples, rate = soundfile.read(path, dtype="float32")
    if not samples.any():
        return None
    samples = soxr.resample(samples, rate * clip.pitch, SAMPLE_RATE)
    start, end = speech_edges(samples)
    margin = round(_MARGIN_S * SAMPLE_RATE)
    level = math.sqrt(float(np.mean(samples[start:end].astype(np.float64) ** 2)))
    samples = samples[max(0, start - margin) : end + margin]
    gain = 10 ** (clip.level_db / 20) / level
    return samples * min(gain, _PEAK_LIMIT / float(np.abs(samples).max()))


def _row(clip: PlannedClip, length: int) -> dict:
    item, voice = clip.item, clip.voice
    return {
        "audio_filepath": _relative_path(clip),
        "label": item.label,
        "text": item.text,
        "duration": round(length / SAMPLE_RATE, 3),
        "speaker": voice.name,
        "voice": voice.name,
        "engine": voice.engine,
        "rate": clip.rate,
        "pitch": clip.pitch,
        "level_db": clip.level_db,
        "pair": clip.number // 2,
        "source": "rej_corpus",
        "text_source": item.source,
        "fold": item.fold,
        "device_name": item.device_name,
        "shippable": True,
        "license": f"text: {item.license}; voice: {voice.license}",
    }
