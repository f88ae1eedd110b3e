"""Speech over a device that speaks: the shipped voices, and a synthetic room."""

import subprocess
import sys

import numpy as np
import pytest

from turbo_stream.audio.echo import DELAY_SAMPLES, FRAME, EchoGate
from turbo_stream.errors import InputError

RATE = 16_000


def said(kitchen_pcm: np.ndarray, kitchen_spans: list[dict], voice: str, seconds: float):
    """What `voice` says in the shipped recording, without pauses; float `[N]`, at one level."""
    spans = [span for span in kitchen_spans if span["voice"] == voice]
    parts = [kitchen_pcm[int(s["start_s"] * RATE) : int(s["end_s"] * RATE)] for s in spans]
    sound = np.concatenate(parts)[: round(seconds * RATE)].astype(float)
    return 0.05 * sound / np.sqrt(np.mean(sound**2))


def room(seed: int = 0) -> np.ndarray:
    """A loudspeaker beside its microphone: a direct path after 30 ms, and a short reverberation."""
    random = np.random.default_rng(seed)
    response = np.zeros(4000)
    response[480] = 1.0
    tail = np.arange(3000)
    response[520:3520] = 0.08 * random.normal(size=3000) * np.exp(-tail / 500)
    return response


@pytest.fixture(scope="module")
def scene(kitchen_pcm, kitchen_spans) -> tuple[np.ndarray, np.ndarray, np.ndarray, slice]:
    """Microphone, reference, near speech, and where it is; 6 dB above the echo."""
    far, near = said(kitchen_pcm, kitchen_spans, "rms", 9), np.zeros(9 * RATE)
    spoken = slice(6 * RATE, 8 * RATE)
    near[spoken] = 2 * said(kitchen_pcm, kitchen_spans, "slt", 2)
    echo = np.convolve(far, room())[: len(far)]
    noise = np.random.default_rng(3).normal(0, 0.0005, len(far))
    pcm, reference = (np.rint(x * 32767).astype(np.int16) for x in (near + echo + noise, far))
    return pcm, reference, np.rint(near * 32767).astype(np.int16), spoken


@pytest.fixture(scope="module")
def gated(scene) -> tuple[np.ndarray, np.ndarray]:
    """The whole scene in one call, with the delay taken off."""
    out, flags = EchoGate().process(scene[0], scene[1])
    return out[DELAY_SAMPLES:], flags[DELAY_SAMPLES:]


def level_db(pcm: np.ndarray) -> float:
    return 10 * np.log10(np.mean(pcm.astype(float) ** 2) + 1e-9)


def test_the_devices_own_voice_goes_and_is_not_flagged(scene, gated):
    alone = slice(4 * RATE, scene[3].start - RATE // 10)
    assert level_db(gated[0][alone]) < level_db(scene[0][alone]) - 20
    assert not gated[1][alone].any()


def test_speech_over_it_stays_and_is_flagged(scene, gated):
    _, _, near, spoken = scene
    assert abs(level_db(gated[0][spoken]) - level_db(near[spoken])) < 6
    flagged = np.flatnonzero(gated[1])
    flagged = flagged[flagged > 4 * RATE]
    assert gated[1][spoken].mean() > 0.2
    assert spoken.start < flagged[0] < spoken.start + RATE // 2
    assert flagged[-1] < spoken.stop + RATE // 5


def test_the_stated_delay_is_the_delay():
    sound = np.random.default_rng(5).integers(-2000, 2000, 2 * RATE).astype(np.int16)
    out, _ = EchoGate().process(sound, np.zeros_like(sound))
    at, lags = slice(RATE, RATE + 8000), range(600)
    match = [float(out[at.start + lag : at.stop + lag].astype(float) @ sound[at]) for lag in lags]
    assert abs(int(np.argmax(match)) - DELAY_SAMPLES) <= 2


def test_nothing_is_flagged_while_the_device_is_silent(scene):
    _, reference, near, _ = scene
    _, flags = EchoGate().process(near, np.zeros_like(reference))
    assert not flags.any()


@pytest.mark.parametrize("sizes", [[1, 2, 3, 157, 160, 161], [480], [16_000], [7]])
def test_chunking_changes_nothing(scene, sizes):
    pcm, reference = scene[0][: 2 * RATE], scene[1][: 2 * RATE]
    whole = EchoGate().process(pcm, reference)
    gate, at, parts = EchoGate(), 0, []
    while at < len(pcm):
        size = sizes[len(parts) % len(sizes)]
        parts.append(gate.process(pcm[at : at + size], reference[at : at + size]))
        assert len(parts[-1][0]) == len(parts[-1][1]) == len(pcm[at : at + size])
        at += size
    for index in (0, 1):
        assert np.array_equal(np.concatenate([part[index] for part in parts]), whole[index])


def test_reset_begins_anew(scene):
    pcm, reference = scene[0][:RATE], scene[1][:RATE]
    gate = EchoGate()
    first = gate.process(pcm, reference)
    gate.reset()
    again = gate.process(pcm, reference)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not first[0][:FRAME].any()


def test_lengths_must_agree():
    with pytest.raises(InputError, match="equally long"):
        EchoGate().process(np.zeros(10, np.int16), np.zeros(11, np.int16))


def test_without_the_extra_it_is_named():
    script = (
        "import sys; sys.modules['livekit'] = None\n"
        "from turbo_stream.audio.echo import EchoGate\n"
        "EchoGate()\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "InputError" in result.stderr and "turbo-listen[echo]" in result.stderr
