"""How well `EchoGate` lets through speech over a device that is speaking itself, in many rooms.

python -m tools.measurements.sound.echo --far FILE --near FILE --rooms FILE --out DIR

Manifests are JSONL with `audio_filepath` (relative to the manifest). The device reads out the
recordings of `--far`; its echo comes through a room response, at a chosen delay and at a chosen
level relative to the speech of `--near` that is spoken over it. Writes `echo.json` and prints a
table.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.signal import csd, fftconvolve, welch

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.echo import DELAY_SAMPLES, EchoGate
from turbo_stream.audio.resampler import to_pcm
from turbo_stream.cli.command import run_command

SPEECH_RMS = 0.05
NOISE_RMS = 0.0005
CLEAR_DB = 5.0
"""C50 from which on a room response is like that of a device's own loudspeaker."""

SETTLED_S = 4.0
"""Until then the canceller is still learning the room; counted apart."""


@dataclass
class Condition:
    """One room, level and delay, and what came of it."""

    room: str
    clarity_db: float
    """How much of the echo comes at once: high for a loudspeaker beside the microphone."""
    near_to_echo_db: float
    delay_ms: int
    utterances: int = 0
    flagged: int = 0
    """Utterances of which some part was flagged as barge-in."""
    false_flags_settling: int = 0
    """Flags without near speech, in the first 4 s."""
    false_flags_settled: int = 0
    settled_s: float = 0.0
    """Seconds without near speech after the first 4 s."""
    echo_left_db: float = 0.0
    """Level of the output relative to the echo, where nobody speaks, after 4 s."""
    near_kept_db: float = 0.0
    """Level of the near speech in the output relative to what was spoken."""


def read(manifest: Path, limit: int) -> list[tuple[str, np.ndarray]]:
    """Return names and `[N]` float samples at 16 kHz of up to `limit` rows, evenly spread."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").split("\n") if line]
    recordings = []
    for row in rows[:: max(1, len(rows) // limit)][:limit]:
        path = manifest.parent / row["audio_filepath"]
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        recordings.append((path.stem, soxr.resample(samples[:, 0], rate, SAMPLE_RATE)))
    return recordings


def at_speech_level(samples: np.ndarray) -> np.ndarray:
    """Scale so that the loud half of the 10 ms frames has the level of ordinary speech."""
    power = (samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    return samples * SPEECH_RMS / np.sqrt(power[power >= np.median(power)].mean() + 1e-12)


def lay_out(
    far: list[np.ndarray], near: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]:
    """Return the far and near tracks `[N]`, and where near speech is: one every 7 s from 6 s on."""
    length = (6 + 7 * len(near)) * SAMPLE_RATE
    track_far = np.resize(np.concatenate(far), length)
    track_near, spans = np.zeros(length, np.float32), []
    for index, speech in enumerate(near):
        start, speech = (6 + 7 * index) * SAMPLE_RATE, speech[: 4 * SAMPLE_RATE]
        track_near[start : start + len(speech)] = speech
        spans.append((start, start + len(speech)))
    return track_far, track_near, spans


def measure(
    condition: Condition, far: np.ndarray, near: np.ndarray, spans: list, room: np.ndarray
) -> Condition:
    """Fill in `condition`."""
    echo = fftconvolve(far, room)[: len(far)]
    echo *= SPEECH_RMS * 10 ** (-condition.near_to_echo_db / 20) / np.sqrt(np.mean(echo**2))
    delay = condition.delay_ms * SAMPLE_RATE // 1000
    echo = np.concatenate([np.zeros(delay), echo])[: len(far)]
    noise = np.random.default_rng(0).normal(0, NOISE_RMS, len(far))
    pcm, flags = EchoGate().process(to_pcm(near + echo + noise), to_pcm(far))
    out, flags = pcm[DELAY_SAMPLES:] / 32768, flags[DELAY_SAMPLES:]
    quiet = np.ones(len(out), bool)
    for start, stop in spans:
        condition.utterances += 1
        condition.flagged += bool(flags[start:stop].any())
        # Reverberation of the canceller's own, and the flag's fall, belong to the utterance.
        quiet[start : stop + SAMPLE_RATE // 3] = False
    rises = np.flatnonzero(np.diff((flags & quiet).astype(np.int8)) == 1)
    settled = int(SETTLED_S * SAMPLE_RATE)
    condition.false_flags_settling = int((rises < settled).sum())
    condition.false_flags_settled = int((rises >= settled).sum())
    quiet[:settled] = False
    condition.settled_s = float(quiet.sum() / SAMPLE_RATE)
    condition.echo_left_db = decibel(out[quiet]) - decibel(echo[: len(out)][quiet])
    speech = np.concatenate([near[start:stop] for start, stop in spans])
    heard = np.concatenate([out[start:stop] for start, stop in spans])
    # The part of the output that follows the speech; echo and noise do not.
    _, spectrum = welch(speech, nperseg=512)
    _, common = csd(speech, heard, nperseg=512)
    followed = np.abs(common) ** 2 / (spectrum + 1e-20)
    condition.near_kept_db = 10 * float(np.log10(followed.sum() / spectrum.sum()))
    return condition


def clarity_db(room: np.ndarray) -> float:
    """Return C50 of ISO 3382: energy of the first 50 ms against all that comes later, in dB."""
    peak = int(np.argmax(np.abs(room)))
    early = room[: peak + SAMPLE_RATE // 20]
    late = room[peak + SAMPLE_RATE // 20 :]
    return 10 * float(np.log10((early @ early + 1e-12) / (late @ late + 1e-12)))


def decibel(samples: np.ndarray) -> float:
    """Return the level of `samples` in dB."""
    return 10 * float(np.log10(np.mean(samples**2) + 1e-12))


def show(conditions: list[Condition]) -> None:
    """Print one row for each kind of room, level and delay."""
    table = Table("room", "near/echo dB", "delay ms", "found", "false/min at first", "later")
    table.add_column("echo left dB")
    table.add_column("near kept dB")
    groups: dict[tuple[bool, float, int], list[Condition]] = {}
    for c in conditions:
        key = (c.clarity_db < CLEAR_DB, c.near_to_echo_db, c.delay_ms)
        groups.setdefault(key, []).append(c)
    for (reverberant, level, delay), group in sorted(groups.items()):
        rooms = len({c.room for c in group})
        later = sum(c.false_flags_settled for c in group) / sum(c.settled_s for c in group)
        table.add_row(
            f"{rooms} with C50 {'<' if reverberant else '>='} {CLEAR_DB:.0f} dB",
            f"{level:+.0f}",
            str(delay),
            f"{sum(c.flagged for c in group)}/{sum(c.utterances for c in group)}",
            f"{sum(c.false_flags_settling for c in group) * 60 / (SETTLED_S * len(group)):.1f}",
            f"{60 * later:.1f}",
            f"{np.median([c.echo_left_db for c in group]):.0f}",
            f"{np.median([c.near_kept_db for c in group]):.1f}",
        )
    Console(width=110).print(table)


@click.command("tools.measurements.sound.echo")
@click.option("--far", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--near", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--rooms", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--room", "wanted", multiple=True, help="Only rooms with this in their name.")
@click.option("--level", "levels", multiple=True, type=float, default=(-10.0, 0.0, 10.0))
@click.option("--delay", "delays", multiple=True, type=int, default=(20, 200))
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    far: Path,
    near: Path,
    rooms: Path,
    wanted: tuple[str, ...],
    levels: tuple[float, ...],
    delays: tuple[int, ...],
    out: Path,
) -> None:
    """Measure the echo gate over rooms, near-to-echo levels (dB) and echo delays (ms)."""
    far_track, near_track, spans = lay_out(
        [at_speech_level(samples) for _, samples in read(far, 12)],
        [at_speech_level(samples) for _, samples in read(near, 8)],
    )
    responses = [
        (name, response)
        for name, response in read(rooms, 1000)
        if not wanted or any(word in name for word in wanted)
    ]
    todo = [
        (Condition(name, clarity_db(response), level, delay), response)
        for name, response in responses
        for level in levels
        for delay in delays
    ]
    conditions = [
        measure(condition, far_track, near_track, spans, response)
        for condition, response in track(todo, "echo", console=Console(stderr=True))
    ]
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "echo.json.partial"
    partial.write_text(json.dumps([asdict(c) for c in conditions], indent=1) + "\n", "utf-8")
    partial.replace(out / "echo.json")
    show(conditions)


if __name__ == "__main__":
    sys.exit(run_command(main))
