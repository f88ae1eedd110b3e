"""What a recording is put through before the model hears it; the same every time."""

import hashlib
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tools.corpus.scene_sound import ambience, at_level, reverberate, room_response
from tools.judge.recording import Recording
from training.data.augment import AugmentConfig, Surroundings, augment, speech_edges
from training.data.clip import Clip, Wave, as_wave, read_wave
from turbo_stream._util.timebase import to_samples
from turbo_stream.evaluation.corpus.conditions import parse_condition
from turbo_stream.evaluation.corpus.manifest import read_manifest

Sound = Literal["recorded", "channel", "far", "noise", "none"]
"""As recorded; through one random channel for all; a far talker; 5 dB of noise; no sound at all."""

NOISE_DB = 5
_NOISE = parse_condition(f"noise={NOISE_DB}")
_FADE_SAMPLES = 160
_RECIPE = 1
"""Of everything below: a change makes other sounds, and kept scores must not be taken for them."""


@dataclass(frozen=True)
class Stage:
    """The surroundings in which recordings are heard."""

    surroundings: Surroundings = field(default_factory=Surroundings)
    """Recorded noises and rooms of the random channel; simulated ones alone where there are none.
    """

    channel: AugmentConfig = field(default_factory=AugmentConfig)
    """Ranges of the random channel."""

    def digest(self) -> str:
        """Return a digest of what the sounds depend on beside the recordings."""
        found = hashlib.sha256(f"{_RECIPE}/{sorted(asdict(self.channel).items())}".encode())
        for wave in (*self.surroundings.noises, *self.surroundings.rooms):
            found.update(np.ascontiguousarray(wave).tobytes() + b"|")
        return found.hexdigest()[:16]

    def render(self, recording: Recording, sound: Sound) -> NDArray[np.int16]:
        """Return the samples that the model hears, `[N]` int16 at 16 kHz.

        What is random is drawn by the recording's name alone.
        """
        if sound == "none":
            return np.zeros(0, np.int16)
        seed = zlib.crc32(recording.name.encode("utf-8", "surrogatepass"))
        pcm = recording.pcm()
        if recording.keep_s is not None:
            pcm = part_of(pcm, recording.keep_s, np.random.default_rng(seed))
        if sound == "recorded":
            return pcm
        if sound == "noise":
            return _NOISE.apply(pcm, seed=0, item=seed)
        wave = as_wave(pcm)
        if sound == "channel":
            return _as_pcm(augment(wave, seed, self.channel, self.surroundings))
        return _as_pcm(far_talker(wave, np.random.default_rng(seed)))


def part_of(pcm: NDArray[np.int16], keep_s: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return a random `keep_s` of the speech in `pcm`, `[N]`, with soft ends."""
    start, end = speech_edges(as_wave(pcm))
    samples = min(to_samples(keep_s), end - start)
    at = start + int(rng.integers(end - start - samples + 1))
    part = pcm[at : at + samples].astype(np.float64)
    fade = min(_FADE_SAMPLES, len(part) // 2)
    ramp = np.linspace(0.0, 1.0, fade)
    part[:fade] *= ramp
    part[len(part) - fade :] *= ramp[::-1]
    return np.rint(part).astype(np.int16)


def far_talker(wave: Wave, rng: np.random.Generator) -> Wave:
    """Return `wave`, `[T]`, as heard from 3 to 5 m in a living room, `[T]`.

    The direct sound over the reflections follows from the distance and the critical distance
    `0.057 sqrt(Q V / T60)` (Kuttruff, Room Acoustics) of a talker with Q = 2, 30 to 80 m3, 0.3 to
    0.7 s. The room's own noise lies 20 dB below the speech.
    """
    distance_m, volume_m3 = rng.uniform(3.0, 5.0), rng.uniform(30.0, 80.0)
    reverb_time_s = rng.uniform(0.3, 0.7)
    critical_m = 0.057 * np.sqrt(2.0 * volume_m3 / reverb_time_s)
    direct_db = 20.0 * np.log10(critical_m / distance_m)
    response = room_response(rng, reverb_time_s=reverb_time_s, direct_db=direct_db)
    wet = at_level(reverberate(wave, response)[: len(wave)], -35.0)
    return wet + ambience(rng, len(wave), -55.0)


def read_waves(manifest: Path | None) -> list[Wave]:
    """Return the recordings of a manifest of noises or rooms, in [-1, 1]; none for None."""
    items = [] if manifest is None else read_manifest(manifest)
    return [read_wave(Clip(item.path, item.offset_s, item.duration_s)) for item in items]


def _as_pcm(wave: Wave) -> NDArray[np.int16]:
    return np.clip(np.rint(wave * 32_768.0), -32_768, 32_767).astype(np.int16)
