"""Pauses to learn from: the ends of recordings, the pauses inside them, and speech broken off.

The segmenter itself finds them, in a stream of the recording between stretches of its own room.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.data.clip import Wave, as_wave
from turbo_stream._util.timebase import SAMPLE_RATE, ms_to_samples
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import (
    Segment,
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

Kind = Literal["end", "pause", "break"]

_LEAD_S, _TRAIL_S = 1.0, 1.5

_PATIENT_MS = 1000.0
"""Silence that ends an utterance here: longer than in the product, so that long pauses count."""

_HARD_END_MS = 60.0
"""A clip that stops sooner after its speech was cut in the middle of it: no end to learn from."""

_FRAME = SAMPLE_RATE // 50
_HOP = SAMPLE_RATE // 200


@dataclass(frozen=True)
class Pause:
    """An utterance up to a silence, as a judge of pauses hears it."""

    wave: Wave
    """Pre-roll, speech and the first of the silence."""

    kind: Kind
    """`end`: the last of the recording; `pause`: the speaker went on; `break`: speech cut short by
    us where the sound is weak, which nobody would take for an end."""

    @property
    def finished(self) -> bool:
        """Whether the speaker had finished."""
        return self.kind == "end"


def room_tone(wave: Wave, samples: int, rng: np.random.Generator) -> Wave:
    """Return noise with the spectrum of the quietest tenth of `wave`: the room without the voice.

    Digital silence does not count; a recording of nothing else gets faint hiss.
    """
    frames = wave[: len(wave) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    power = np.square(frames).mean(axis=1)
    heard = frames[power > 1e-12]
    if len(heard) < 3:
        return rng.normal(0.0, 1e-4, samples).astype(np.float32)
    power = power[power > 1e-12]
    quiet = heard[power <= 1.5 * np.sort(power)[len(power) // 10]]
    window = np.hanning(_FRAME)
    centred = (quiet - quiet.mean(axis=1, keepdims=True)) * window
    density = np.square(np.abs(np.fft.rfft(centred))).mean(axis=0) / np.square(window).sum()
    white = np.fft.rfft(rng.normal(0.0, 1.0, samples))
    bands = np.linspace(0.0, 1.0, len(density))
    gain = np.interp(np.linspace(0.0, 1.0, len(white)), bands, np.sqrt(density))
    return np.fft.irfft(white * gain, samples).astype(np.float32)


def _drafts(stream: Wave) -> list[tuple[Segment, bool]]:
    """Return what the segmenter would have judged in `stream`, and if nobody spoke after it."""
    pcm = np.round(np.clip(stream, -1.0, 1.0) * 32_767.0).astype(np.int16)
    config = SegmenterConfig(
        end_silence_ms=_PATIENT_MS, end_silence_min_ms=_PATIENT_MS, end_silence_max_ms=_PATIENT_MS
    )
    segmenter = Segmenter(load_vad(DEFAULT_VAD), config)
    found: list[tuple[Segment, bool]] = []
    for output in segmenter.process(pcm) + segmenter.flush():
        if isinstance(output, SegmentPaused):
            found.append((output.draft, True))
        elif isinstance(output, (SegmentResumed, SegmentStarted)) and found:
            found[-1] = (found[-1][0], False)
    return found


def weak_places(wave: Wave, start: int, stop: int) -> list[int]:
    """Return the samples in `wave[start:stop]` where the level is least, 8 dB under both sides.

    They lie in closures and between words, at least 250 ms after `start` and 120 ms before `stop`.
    """
    count = (stop - start) // _HOP
    if count < 80:
        return []
    power = np.square(wave[start : start + count * _HOP].reshape(count, _HOP)).mean(axis=1)
    level = 10.0 * np.log10(np.convolve(power, np.ones(6) / 6, mode="same") + 1e-10)
    return [
        start + at * _HOP
        for at in range(50, count - 24)
        if level[at] == level[at - 8 : at + 9].min()
        and level[at - 8 : at].max() - level[at] > 8.0
        and level[at + 1 : at + 9].max() - level[at] > 8.0
    ]


def _stopped(speech: Wave, tone: Wave, rng: np.random.Generator) -> Wave:
    """Fade `speech` into the tone of its room, which goes on for as long as a judge would wait."""
    fade = min(int(rng.uniform(0.005, 0.05) * SAMPLE_RATE), len(speech))
    silence = int(rng.uniform(0.16, 0.22) * SAMPLE_RATE)
    tone = tone[rng.integers(len(tone) - fade - silence) :]
    falling = np.cos(np.linspace(0.0, np.pi / 2, fade)) ** 2
    joined = np.concatenate([speech, tone[fade : fade + silence]])
    edge = slice(len(speech) - fade, len(speech))
    joined[edge] = speech[edge] * falling + tone[:fade] * (1.0 - falling)
    return joined.astype(np.float32)


def find_pauses(wave: Wave, rng: np.random.Generator, *, breaks: int, ends: bool) -> list[Pause]:
    """Return the pauses of the recording `wave` `[T]` in [-1, 1].

    `breaks` is how many breaks each utterance gets at most. `ends` is False for recordings that
    stop anywhere: then their ends say nothing. Half of the real pauses and ends are faded into the
    room's tone as breaks are, so that the fade tells nothing; a third of the utterances get a
    hesitation of 150 to 600 ms somewhere before.
    """
    wave = wave - wave.mean()
    lead, trail = int(_LEAD_S * SAMPLE_RATE), int(_TRAIL_S * SAMPLE_RATE)
    tone = room_tone(wave, lead + trail, rng)
    stream = np.concatenate([tone[:lead], wave, tone[lead:]]).astype(np.float32)
    found: list[Pause] = []
    drafts = _drafts(stream)
    for index, (draft, last) in enumerate(drafts):
        begin = draft.end_sample + ms_to_samples(SegmenterConfig().tail_ms) - len(draft.pcm)
        begin = max(0, min(begin, draft.start_sample))
        room_left_ms = (lead + len(wave) - draft.end_sample) * 1000 / SAMPLE_RATE
        usable = not last or (ends and room_left_ms >= _HARD_END_MS)
        if usable:
            kind: Kind = "end" if last else "pause"
            stop = draft.end_sample + int(rng.uniform(0.0, 0.06) * SAMPLE_RATE)
            faded = _stopped(stream[begin:stop], tone, rng)
            found.append(Pause(as_wave(draft.pcm) if rng.random() < 0.5 else faded, kind))
        if index + 1 < len(drafts) and drafts[index + 1][0].id == draft.id:
            continue
        places = weak_places(stream, draft.start_sample, draft.end_sample)
        for place in rng.permutation(places)[:breaks]:
            found.append(Pause(_stopped(stream[begin:place], tone, rng), "break"))
        if places and usable and rng.random() < 0.35:
            found.append(Pause(_hesitated(stream, begin, draft, places, tone, rng), kind))
    return found


def _hesitated(
    stream: Wave,
    begin: int,
    draft: Segment,
    places: list[int],
    tone: Wave,
    rng: np.random.Generator,
) -> Wave:
    """Return the utterance of `draft` with a silence in it."""
    place = int(rng.choice(places))
    silence: NDArray[np.float32] = tone[: int(rng.uniform(0.05, 0.4) * SAMPLE_RATE)]
    before = _stopped(stream[begin:place], tone, rng)
    after = stream[place - SAMPLE_RATE // 40 : draft.end_sample + SAMPLE_RATE // 5]
    return np.concatenate([before, silence, after]).astype(np.float32)
