"""From a planned clip to clean speech, by flite, festival, espeak-ng and Kokoro."""

import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tools.corpus.kokoro import KOKORO_RATE, Kokoro, load_kokoro
from tools.corpus.plan import PlannedClip
from tools.corpus.scene_sound import speech_edges
from tools.corpus.text_collections import DIRECTED, TextItem
from tools.corpus.voices import Voice
from turbo_stream._util.timebase import SAMPLE_RATE


def clean_speech(
    clips: Iterable[PlannedClip], kokoro: Path | None = None
) -> dict[int, NDArray[np.float32]]:
    """Return the speech of `clips` by number, each `[N]` at 16 kHz and cut to its edges.

    What an engine refuses to say is missing; `kokoro` is the folder of that engine.
    """
    asked = list(clips)
    with tempfile.TemporaryDirectory() as folder:
        speak(asked, Path(folder), kokoro)
        for clip in asked:
            # An engine that died takes with it what it had still to say: once more, one by one.
            if not Path(folder, f"{clip.number}.wav").is_file():
                speak([clip], Path(folder), kokoro)
        heard = {clip.number: _speech(Path(folder, f"{clip.number}.wav"), clip) for clip in asked}
    return {number: samples for number, samples in heard.items() if samples is not None}


def silent_voices(voices: Iterable[Voice]) -> list[Voice]:
    """Return those of `voices`, none of Kokoro, that this machine lacks, found by trying each."""
    word = TextItem("hello", DIRECTED, "probe", "", "train")
    clips = [PlannedClip(at, word, voice, 1.0, 1.0, -26.0) for at, voice in enumerate(voices)]
    heard = clean_speech(clips)
    return [clip.voice for clip in clips if clip.number not in heard]


def speak(clips: list[PlannedClip], folder: Path, kokoro: Path | None = None) -> None:
    """Let the engines write `NUMBER.wav` into `folder`; what they refuse is simply not there."""
    groups = defaultdict(list)
    for clip in clips:
        groups[clip.voice.name].append(clip)
    for group in groups.values():
        engine = group[0].voice.engine
        if engine == "kokoro" and kokoro is not None:
            _kokoro(group, folder, load_kokoro(kokoro))
            continue
        if shutil.which(engine) is None:
            continue
        if engine == "festival":
            _festival(group, folder)
        else:
            for clip in group:
                command = _flite if engine == "flite" else _espeak
                subprocess.run(command(clip, folder), capture_output=True, check=False)


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


def _kokoro(clips: list[PlannedClip], folder: Path, engine: Kokoro) -> None:
    for clip in clips:
        samples = engine.say(_words(clip), clip.voice, 1 / _stretch(clip))
        if len(samples):
            soundfile.write(_path(clip, folder), samples, KOKORO_RATE, subtype="FLOAT")


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


_EFFORT_FROM_HZ, _EFFORT_TO_HZ = 500.0, 4000.0


def _speech(path: Path, clip: PlannedClip) -> NDArray[np.float32] | None:
    """Return the clip at 16 kHz, pitch, effort and edges set; None if there is no speech in it.

    Pitch is played speed: it moves the formants with the fundamental, as a talker of another size
    does, and works alike for every engine.
    """
    if not path.is_file():
        return None
    samples, rate = soundfile.read(path, dtype="float32")
    if not samples.any():
        return None
    samples = soxr.resample(samples, rate * clip.pitch, SAMPLE_RATE)
    if clip.style is not None:
        samples = _with_effort(samples, clip.style.effort_db)
    start, end = speech_edges(samples)
    return samples[start:end]


def _with_effort(samples: NDArray[np.float32], effort_db: float) -> NDArray[np.float32]:
    """Return `samples` with the highs raised by `effort_db`, as in a louder voice, `[N]`."""
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    octaves = np.log2(np.clip(frequency, _EFFORT_FROM_HZ, _EFFORT_TO_HZ) / _EFFORT_FROM_HZ)
    gain_db = effort_db * octaves / np.log2(_EFFORT_TO_HZ / _EFFORT_FROM_HZ)
    spectrum = np.fft.rfft(samples) * 10 ** (gain_db / 20)
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)
