"""The synthesizers as commands."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

from tools.corpus.clip import PlannedClip

_ESPEAK_WORDS_PER_MINUTE = 165
_ESPEAK_PITCH, _ESPEAK_PITCH_PER_SEMITONE = 50, 4.2
"""Its scale of 0 to 99 spans about an octave to each side."""
_FESTIVAL_SAY = """(define (say stretch tone text file)
  (Parameter.set 'Duration_Stretch stretch)
  (if (string-equal current-voice "cmu_us_slt_arctic_hts")
    (set! hts_engine_params
      (append cmu_us_slt_arctic_hts::hts_engine_params (list (list "-r" (/ 1.0 stretch)))))
    (set! int_lr_params
      (list (list 'target_f0_mean (* 105 tone)) (list 'target_f0_std (* 14 tone))
        '(model_f0_mean 170) '(model_f0_std 34))))
  (let ((utt (eval (list 'Utterance 'Text text))))
    (utt.synth utt)
    (utt.save.wave utt file 'riff)))
"""


def speak(clips: list[PlannedClip], folder: Path) -> None:
    """Let the engines write `NUMBER.wav` into `folder`; what they refuse is simply not there."""
    groups = defaultdict(list)
    for clip in clips:
        groups[clip.voice.name].append(clip)
    for group in groups.values():
        engine = group[0].voice.engine
        if shutil.which(engine) is None:
            continue
        if engine == "festival":
            _festival(group, folder)
        else:
            for clip in group:
                command = _flite if engine == "flite" else _espeak
                subprocess.run(command(clip, folder), capture_output=True, check=False)


def _festival(clips: list[PlannedClip], folder: Path) -> None:
    """Speak all clips of one voice in one process: it takes longer to start than to speak."""
    voice = clips[0].voice
    lines = [f"(voice_{voice.engine_voice})", _FESTIVAL_SAY]
    lines += [
        f"(unwind-protect (say {_stretch(clip):.4f} {_tone(clip):.4f} "
        f'"{_words(clip)}" "{_path(clip, folder)}") nil)'
        for clip in clips
    ]
    script = folder / f"{voice.name}.scm"
    script.write_text("\n".join(lines), encoding="ascii")
    subprocess.run(["festival", "-b", str(script)], capture_output=True, check=False)


def _flite(clip: PlannedClip, folder: Path) -> list[str]:
    command = ["flite", "-voice", clip.voice.engine_voice]
    command += ["--setf", f"duration_stretch={_stretch(clip):.4f}"]
    command += ["--setf", f"f0_shift={_tone(clip):.4f}"]
    return [*command, "-t", _words(clip), "-o", _path(clip, folder)]


def _espeak(clip: PlannedClip, folder: Path) -> list[str]:
    speed = round(_ESPEAK_WORDS_PER_MINUTE / _stretch(clip))
    pitch = round(_ESPEAK_PITCH + _ESPEAK_PITCH_PER_SEMITONE * clip.tone)
    command = ["espeak-ng", "-v", clip.voice.engine_voice, "-s", str(speed), "-p", str(pitch)]
    return [*command, "-w", _path(clip, folder), _words(clip)]


def _words(clip: PlannedClip) -> str:
    return clip.spoken or clip.item.text


def _path(clip: PlannedClip, folder: Path) -> str:
    return f"{folder}/{clip.number}.wav"


def _stretch(clip: PlannedClip) -> float:
    """Return how much longer the engine must speak: it is then played `pitch` faster."""
    return clip.pitch / clip.rate


def _tone(clip: PlannedClip) -> float:
    """Return the factor on the fundamental."""
    return 2 ** (clip.tone / 12)
