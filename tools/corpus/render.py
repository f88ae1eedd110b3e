"""Clean speech through its scene: loudspeaker, room, other talkers, noise, clipping, codec."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from tools.corpus.background import Background
from tools.corpus.room import FACING_RANGE_DEGREES, room_response
from tools.corpus.scene import Scene
from tools.corpus.scene_sound import through_speaker
from training.data.augment import coloured_noise
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.evaluation.corpus.codec import through_codec

Wave = NDArray[np.float32]

_PEAK_LIMIT = 0.99
_FRAME = SAMPLE_RATE // 50
_ACTIVE_RANGE_DB = 30.0
_SPEAKER_LOW_HZ, _SPEAKER_HIGH_HZ = (150.0, 350.0), (3500.0, 6500.0)


def render(
    speech: Wave,
    scene: Scene,
    background: Background,
    *,
    number: int,
    level_db: float,
    facing: str | None = None,
) -> NDArray[np.int16]:
    """Return the finished clip, `[N]` int16: `speech`, `[M]` cut to its edges, in its scene.

    `number` tells the clips of one scene apart, `level_db` (RMS, dBFS) is that of the speech.
    """
    rng = np.random.default_rng([scene.seed, number])
    heard = speech
    if scene.channel == "loudspeaker":
        # Of the pair: the same loudspeaker for both.
        speaker = np.random.default_rng(scene.seed)
        low_hz, high_hz = speaker.uniform(*_SPEAKER_LOW_HZ), speaker.uniform(*_SPEAKER_HIGH_HZ)
        heard = through_speaker(heard, low_hz, high_hz)
    if scene.room is not None:
        angle = rng.uniform(*FACING_RANGE_DEGREES[facing or "device"])
        heard = _convolved(heard, room_response(scene.room, scene.room.talker_m, angle, rng))
    elif scene.response is not None:
        response = background.recording(scene.response)
        # Recorded ones begin with the way of the sound, and the clip would end too early.
        heard = _convolved(heard, response[int(np.argmax(np.abs(response))) :])
    lead, trail = to_samples(scene.lead_s), to_samples(scene.trail_s)
    mixed = np.zeros(lead + len(speech) + trail, np.float32)
    mixed[lead : lead + len(heard)] = heard[: len(mixed) - lead]
    power = active_power(mixed)
    if scene.overlap_db is not None:
        mixed = mixed + _other_talker(scene, len(mixed), power, background, rng)
    if scene.noise is not None and scene.snr_db is not None:
        noise = _noise(scene, len(mixed), background, rng)
        noise *= math.sqrt(power / active_power(noise)) * 10 ** (-scene.snr_db / 20)
        mixed = mixed + noise
    peak = float(np.abs(mixed).max())
    if scene.drive_db is not None:
        peak *= 10 ** (-scene.drive_db / 20)
        mixed = np.clip(mixed, -peak, peak)
    gain = 10 ** (level_db / 20) / math.sqrt(power)
    mixed = mixed * min(gain, _PEAK_LIMIT / peak)
    pcm = np.rint(mixed * 32767.0).astype(np.int16)
    return pcm if scene.codec is None else through_codec(pcm, scene.codec)


def active_power(samples: Wave) -> float:
    """Return the mean power of the 20 ms frames within 30 dB of the loudest."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    return float(np.mean(power[power >= power.max() * 10 ** (-_ACTIVE_RANGE_DB / 10)])) + 1e-12


def _convolved(samples: Wave, response: Wave) -> Wave:
    return fftconvolve(samples, response).astype(np.float32)


def _other_talker(
    scene: Scene, length: int, power: float, background: Background, rng: np.random.Generator
) -> Wave:
    """Return a second, quieter voice from elsewhere in the room, `[length]`."""
    other = background.talker(scene.fold, scene.others[0])
    if scene.room is not None:
        angle = rng.uniform(0.0, 360.0)
        other = _convolved(other, room_response(scene.room, scene.room.other_m, angle, rng))
    track = np.zeros(length, np.float32)
    # It may begin before the clip and go on after it.
    start = int(rng.integers(-len(other) // 2, max(1, length - len(other) // 2)))
    first, last = max(0, start), min(length, start + len(other))
    track[first:last] = other[first - start : last - start]
    gain = math.sqrt(power / active_power(other)) * 10 ** (-(scene.overlap_db or 0.0) / 20)
    return track * np.float32(gain)


def _noise(scene: Scene, length: int, background: Background, rng: np.random.Generator) -> Wave:
    """Return the noise of the scene at any level, `[length]`."""
    if scene.noise == "babble":
        voices = [background.talker(scene.fold, other) for other in scene.others]
        return np.sum([_rolled(voice, length, rng) for voice in voices], axis=0)
    if scene.noise_recording is not None:
        return _rolled(background.recording(scene.noise_recording), length, rng)
    return coloured_noise(rng, length)


def _rolled(samples: Wave, length: int, rng: np.random.Generator) -> Wave:
    """Return a stretch of `samples`, repeated without end, from a random place on, `[length]`."""
    return np.resize(np.roll(samples, int(rng.integers(len(samples)))), length)
