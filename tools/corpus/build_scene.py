"""Builds the shipped recordings: evenings in a kitchen, commands to a device amid side talk.

python -m tools.corpus.build_scene --out examples
python -m tools.corpus.build_scene kitchen --out turbo_stream/assets/recordings --format ogg
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
import numpy as np
import soundfile

from tools.corpus.scene_sound import (
    ambience,
    at_level,
    reverberate,
    room_response,
    speak,
    through_speaker,
)
from turbo_stream._util.files import write_text
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples, to_seconds
from turbo_stream.cli.command import run_command

LICENSE = "CC0-1.0 (own text, spoken by Debian's flite 2.2)"
_FORMATS = {"flac": ("FLAC", "PCM_16", None), "ogg": ("OGG", "VORBIS", 0.5)}
"""Of libsndfile by file suffix: container, coding, and how much is given up for a small file."""
_LEAD_S = 1.2
_SEED = 20


@dataclass(frozen=True)
class Line:
    """One utterance of the scene."""

    voice: str
    label: Literal["directed", "not_directed"]
    text: str
    pause_s: float
    """Silence between the end of this utterance and the next."""

    level_db: float = -24.0
    """RMS in dBFS at the device's microphone."""

    television: bool = False


KITCHEN = (
    Line("rms", "directed", "Turn on the kitchen lights.", 1.6),
    Line("rms", "not_directed", "I saw your sister at the market, she looked so happy.", 1.3, -26),
    Line("slt", "not_directed", "Really? Did she tell you about her new job?", 1.7, -27),
    Line("slt", "directed", "Set a timer for ten minutes.", 1.5),
    Line("awb", "not_directed", "And that was the final goal of the match.", 1.8, -31, True),
    Line("awb", "directed", "What is the weather tomorrow?", 1.5, -23),
    Line("slt", "not_directed", "Hi mom, yes, we are just making dinner.", 1.3, -25),
    Line("slt", "not_directed", "No, I don't think he wanted to come with us.", 1.8, -26),
    Line("rms", "directed", "Play some music in the living room.", 1.6),
    Line("slt", "directed", "Stop.", 1.7, -22),
    Line("rms", "not_directed", "We should have left an hour ago, you know.", 1.4, -27),
    Line("slt", "not_directed", "Well, my mother was late again.", 1.6, -26),
    Line("rms", "directed", "Put milk on the shopping list.", 1.5, -23),
    Line("awb", "not_directed", "The mayor said the bridge will open in spring.", 1.8, -31, True),
    Line("slt", "directed", "Turn off the lights.", 1.5, -24),
)


FRIDAY = (
    Line("rms", "directed", "Friday, turn on the kitchen lights.", 1.6),
    Line("rms", "directed", "And the radio, please.", 12.0),
    Line("awb", "not_directed", "Turn on the kitchen lights, said the man.", 1.8, -31, True),
    Line("slt", "not_directed", "We are going to meet them on Friday evening.", 1.5, -26),
    Line("rms", "not_directed", "I told Friday to stop the music.", 1.7, -26),
    Line("slt", "directed", "What time is it, Friday?", 1.6, -24),
    Line("slt", "directed", "Thank you.", 1.8, -24),
    Line("awb", "not_directed", "Set a timer for ten minutes.", 1.6, -31, True),
    Line("awb", "directed", "Hey Friday, stop.", 1.5, -24),
)
"""The device is called Friday: called by its name, talked about, and talked past."""

SCENES = {"kitchen": KITCHEN, "friday": FRIDAY}


def build(lines: tuple[Line, ...]) -> tuple[np.ndarray, list[dict]]:
    """Return the recording, `[N]` int16 at 16 kHz, and its segments, edges from clean speech."""
    rng = np.random.default_rng(_SEED)
    rooms = {
        voice: room_response(rng, reverb_time_s=0.28, direct_db=9.0)
        for voice in sorted({line.voice for line in lines})
    }
    pieces, segments, position = [], [], to_samples(_LEAD_S)
    for line in lines:
        dry = speak(line.text, line.voice)
        segments.append(
            {
                "start_s": round(to_seconds(position), 3),
                "end_s": round(to_seconds(position + len(dry)), 3),
                "label": line.label,
                "text": line.text,
                "voice": line.voice,
            }
        )
        played = through_speaker(dry) if line.television else dry
        pieces.append((position, reverberate(at_level(played, line.level_db), rooms[line.voice])))
        position += len(dry) + to_samples(line.pause_s)
    sound = ambience(rng, position, level_db=-60.0)
    for start, piece in pieces:
        sound[start : start + len(piece)] += piece[: len(sound) - start]
    return (np.clip(sound, -1, 1) * 32767).round().astype(np.int16), segments


@click.command("tools.corpus.build_scene")
@click.argument("scenes", nargs=-1, type=click.Choice(list(SCENES)))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option(
    "--format", "suffix", type=click.Choice(list(_FORMATS)), default="flac", show_default=True
)
def main(scenes: tuple[str, ...], out: Path, suffix: str) -> None:
    """Write SCENES, all without one, into OUT, and NAME.json beside; as ogg they are a third."""
    out.mkdir(parents=True, exist_ok=True)
    for name in scenes or SCENES:
        pcm, segments = build(SCENES[name])
        recording = out / f"{name}.{suffix}"
        _write_sound(recording, pcm, suffix)
        scene = {"license": LICENSE, "segments": segments}
        write_text(out / f"{name}.json", json.dumps(scene, indent=1) + "\n")
        print(f"{recording}: {to_seconds(len(pcm)):.1f} s, {len(segments)} utterances")


def _write_sound(recording: Path, pcm: np.ndarray, suffix: str) -> None:
    container, coding, loss = _FORMATS[suffix]
    unfinished = recording.with_name(f"{recording.name}.part")
    soundfile.write(unfinished, pcm, SAMPLE_RATE, coding, format=container, compression_level=loss)
    unfinished.replace(recording)


if __name__ == "__main__":
    sys.exit(run_command(main))
