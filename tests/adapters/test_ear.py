"""What every adapter does with sound, whatever the framework."""

import asyncio
import threading

import numpy as np
import pytest
import soxr

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import shared_models
from turbo_stream import InputError, Utterance
from turbo_stream.adapters import _ear
from turbo_stream.adapters._ear import Ear

LOUD = int(1.1 * 16_000), int(3.1 * 16_000)
"""Where the first utterance of the shipped scene is spoken."""


async def heard(ear: Ear) -> list[Utterance]:
    return [utterance async for utterance in ear.turns()]


def test_sound_of_any_rate_and_channels_is_the_same_speech(excerpt: np.ndarray) -> None:
    models = shared_models(detector=LoudnessDetector(always=1.0))

    async def turns(pcm: np.ndarray, rate: int, channels: int) -> list[Utterance]:
        ear = Ear(models.stream())
        for start in range(0, len(pcm), rate // 50):
            await ear.push(pcm[start : start + rate // 50].tobytes(), rate, channels)
        ear.end()
        found = await heard(ear)
        await ear.close()
        return found

    plain = asyncio.run(turns(excerpt[:64_000], 16_000, 1))
    wide = soxr.resample(excerpt[:64_000], 16_000, 48_000)
    both = asyncio.run(turns(np.stack([wide, wide], axis=1), 48_000, 2))
    assert len(plain) == 1 and len(both) == 1
    assert both[0].start_s == pytest.approx(plain[0].start_s, abs=0.05)
    assert both[0].end_s == pytest.approx(plain[0].end_s, abs=0.05)


def test_what_was_begun_ends_where_no_more_sound_comes(
    monkeypatch: pytest.MonkeyPatch, excerpt: np.ndarray
) -> None:
    """As of a participant who mutes the microphone: no sound is sent then, not even silence."""
    monkeypatch.setattr(_ear, "MISSING_S", 0.2)

    async def first() -> Utterance:
        ear = Ear(shared_models(detector=LoudnessDetector(always=1.0)).stream())
        for start in range(0, LOUD[1], 320):
            await ear.push(excerpt[start : start + 320].tobytes(), 16_000, 1)
        try:
            async with asyncio.timeout(20):
                return await anext(ear.turns())
        finally:
            await ear.close()

    assert asyncio.run(first()).start_s == pytest.approx(1.2, abs=0.2)


@pytest.mark.slow
def test_the_words_of_a_turn_are_waited_for(excerpt: np.ndarray) -> None:
    """Longer than the 3 s after which a live stream decides without them."""
    recognizer = ScriptedRecognizer(release=threading.Event())
    models = shared_models(recognizer, LoudnessDetector(always=1.0))

    async def first() -> Utterance:
        ear = Ear(models.stream())
        await ear.push(excerpt[: LOUD[1]].tobytes(), 16_000, 1)
        ear.end()
        asyncio.get_running_loop().call_later(4.0, recognizer.release.set)
        found = await heard(ear)
        await ear.close()
        return found[0]

    told = asyncio.run(first())
    assert told.text == recognizer.text and told.degraded == ()


def test_what_is_no_sound_is_refused() -> None:
    async def push(audio: bytes, rate: int, channels: int) -> None:
        ear = Ear(shared_models().stream())
        try:
            await ear.push(audio, rate, channels)
        finally:
            await ear.close()

    for audio, rate, channels in ((b"\0", 16_000, 1), (b"\0\0", 16_000, 2), (b"\0\0", 0, 1)):
        with pytest.raises(InputError, match=r"give whole int16 samples"):
            asyncio.run(push(audio, rate, channels))
