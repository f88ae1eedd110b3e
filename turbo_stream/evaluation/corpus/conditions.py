"""Stated, seeded conditions that a whole manifest is put under: `augment`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.codec import CODECS, through_codec

Kind = Literal["clean", "noise", "rir", "codec"]

_FRAME = SAMPLE_RATE // 50
_SPEECH_RANGE_DB = 30.0
"""Frames this far below the loudest are taken for pauses when the speech level is measured."""


@dataclass(frozen=True)
class Condition:
    """One condition; the same item under the same seed always sounds the same."""

    name: str
    """As in `augment`, one value: `clean`, `noise=10`, `rir`, `codec=g711`."""

    kind: Kind
    value: str = ""

    def apply(self, pcm: NDArray[np.int16], *, seed: int, item: int) -> NDArray[np.int16]:
        """Return `pcm`, `[N]` at 16 kHz, under this condition, `[N]`."""
        if self.kind == "clean" or not len(pcm):
            return pcm
        if self.kind == "codec":
            return through_codec(pcm, self.value)
        rng = np.random.default_rng([seed, item])
        if self.kind == "rir":
            return _in_a_room(pcm, rng)
        return _in_noise(pcm, float(self.value), rng)


def expand_conditions(specs: Iterable[str]) -> list[str]:
    """Return the names of the conditions in `augment` options, `clean` first.

    `noise=20,10,5` is pink noise at these signal-to-noise ratios in dB, `rir` a simulated room,
    `codec=g711,opus-12k,mp3-24k` a lossy codec.

    Raises:
        InputError: a condition that there is not.
    """
    names = ["clean"]
    for spec in specs:
        kind, _, values = spec.partition("=")
        names += [f"{kind}={value.strip()}" for value in values.split(",")] if values else [kind]
    for name in names:
        parse_condition(name)
    return list(dict.fromkeys(names))


def parse_condition(name: str) -> Condition:
    """Return the condition called `name`; InputError if there is none."""
    kind, _, value = name.partition("=")
    if kind == "noise" and _is_number(value):
        return Condition(name, "noise", value)
    if kind == "codec" and value in CODECS:
        return Condition(name, "codec", value)
    if name == "rir":
        return Condition(name, "rir")
    if name == "clean":
        return Condition(name, "clean")
    raise InputError(
        f"`augment` {name} is not known; give noise=DB[,DB...], rir, or "
        f"codec={'|'.join(CODECS)}[,...]"
    )


def _in_noise(pcm: NDArray[np.int16], snr_db: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """Add pink noise `snr_db` below the level of the speech, pauses not counted."""
    speech = pcm.astype(np.float64)
    spectrum = np.fft.rfft(rng.standard_normal(len(pcm)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, len(pcm))
    power = np.mean(noise**2)
    if power > 0:
        noise *= np.sqrt(_speech_power(speech) / power / 10 ** (snr_db / 10))
    return _to_pcm(speech + noise)


def _in_a_room(pcm: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    """Convolve with a direct path and a tail of exponentially decaying noise (Polack's model).

    Reverberation time 0.2 to 0.8 s, direct-to-reverberant ratio -3 to 9 dB; level unchanged.
    """
    t60_s = rng.uniform(0.2, 0.8)
    direct_db = rng.uniform(-3.0, 9.0)
    length = int(t60_s * SAMPLE_RATE)
    decay = 10 ** (-3.0 * np.arange(length) / length)
    response = rng.standard_normal(length) * decay
    response *= np.sqrt(10 ** (-direct_db / 10) / np.sum(response**2))
    response[0] += 1.0
    speech = pcm.astype(np.float64)
    size = len(pcm) + length
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(response, size), size)[: len(pcm)]
    power = np.mean(wet**2)
    return _to_pcm(wet * np.sqrt(np.mean(speech**2) / power) if power > 0 else wet)


def _speech_power(samples: NDArray[np.float64]) -> float:
    if len(samples) < _FRAME:
        return float(np.mean(samples**2))
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.mean(frames**2, axis=1)
    return float(np.mean(power[power >= power.max() * 10 ** (-_SPEECH_RANGE_DB / 10)]))


def _to_pcm(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
