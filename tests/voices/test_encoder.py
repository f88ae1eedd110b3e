"""The network that ships tells voices apart, by what is said as little as may be."""

import numpy as np
import pytest

from turbo_stream.errors import PackageError
from turbo_stream.voices import encoder as room
from turbo_stream.voices.encoder import VoiceEncoder, windows_of
from turbo_stream.voices.mel import mel_powers


def test_the_mel_powers_are_those_the_network_was_trained_with() -> None:
    """The numbers are those of librosa 0.11, `melspectrogram(n_fft=400, hop_length=160)`."""
    at = np.arange(4000) / 16_000
    low, rising = np.sin(2 * np.pi * 440 * at), np.sin(2 * np.pi * (1000 + 2000 * at) * at)
    powers = mel_powers((0.3 * low + 0.1 * rising).astype(np.float32))
    assert powers.shape == (26, 40)
    bands = [3, 7, 16, 25, 39]
    first = [0.361937, 0.120525, 0.00934906, 0.00028562, 1.35444e-05]
    last = [0.334305, 0.147569, 2.1585e-05, 0.00180681, 2.93183e-05]
    assert powers[0, bands] == pytest.approx(first, rel=1e-4)
    assert powers[25, bands] == pytest.approx(last, rel=1e-4)
    assert powers[5, 16] == pytest.approx(0.131349, rel=1e-4)


def test_every_utterance_is_nearer_to_its_own_voice_than_to_any_other(vectors) -> None:
    for name, own in vectors.items():
        others = np.concatenate([other for one, other in vectors.items() if one != name])
        to_own = own @ own.T + 2 * np.eye(len(own))  # not to itself
        assert to_own.min() > (own @ others.T).max()


def test_how_loud_it_is_changes_nothing_and_silence_around_it_little(spoken, encoder) -> None:
    pcm = spoken["slt"][0]
    vector = encoder.vector(pcm)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector @ encoder.vector((pcm / 4).astype(np.int16)) > 0.98
    silence = np.zeros(16_000, np.int16)
    assert vector @ encoder.vector(np.concatenate([silence, pcm, silence])) > 0.95


@pytest.mark.parametrize("samples", [0, 100, 16_000])
def test_without_speech_there_is_no_vector(samples: int, encoder) -> None:
    assert encoder.vector(np.zeros(samples, np.int16)) is None
    assert encoder.vector(np.full(min(samples, 2000), 500, np.int16)) is None


def test_long_speech_is_heard_in_windows_that_overlap_and_its_end_counts(spoken, encoder) -> None:
    pcm = np.concatenate(spoken["rms"])
    assert len(windows_of(pcm[: 16_000 * 3])) == 3
    long = np.concatenate([*spoken["awb"], pcm, pcm])
    assert encoder.vector(long) @ encoder.vector(pcm) > 0.95


def test_another_network_is_refused(tmp_path, monkeypatch, spoken) -> None:
    changed = bytearray(room.SHIPPED.read_bytes())
    changed[-1] ^= 1
    other = tmp_path / "encoder.onnx"
    other.write_bytes(changed)
    monkeypatch.setattr(room, "SHIPPED", other)
    with pytest.raises(PackageError, match="not the file that was shipped"):
        VoiceEncoder().vector(spoken["rms"][0])
    other.unlink()
    with pytest.raises(PackageError, match="cannot be read"):
        VoiceEncoder().warm_up()
