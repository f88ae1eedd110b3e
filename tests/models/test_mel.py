import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.mel import LogMel, mel_filters


def whisper_log_mel(wave):
    """Whisper's features by numpy's own FFT, zero-padded, for one wave."""
    normal = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    padded = np.pad(normal, 200)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160]
    window = np.hanning(401)[:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    mel = np.log10(np.maximum(power @ mel_filters(80, 201, 16_000).numpy(), 1e-10))
    mel = mel[: -(-len(wave) // 160)]
    return (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


@pytest.mark.parametrize("samples", [16_000, 7_777])
def test_agrees_with_a_plain_fft(samples):
    wave = np.random.default_rng(0).standard_normal(samples).astype("f4") * 0.1
    mel, mask = LogMel()(torch.from_numpy(wave)[None], torch.tensor([samples]))
    expected = whisper_log_mel(wave.astype("f8"))
    count = int(mask.sum())
    assert count == len(expected)
    assert np.abs(mel[0, :count].numpy() - expected).max() < 1e-3


def test_level_does_not_matter():
    wave = torch.randn(1, 8_000, generator=torch.Generator().manual_seed(0))
    length = torch.tensor([8_000])
    loud, _ = LogMel()(wave * 0.5, length)
    quiet, _ = LogMel()(wave * 0.01, length)
    assert torch.allclose(loud, quiet, atol=2e-3)


def test_filters_agree_with_whisper_on_a_known_value():
    filters = mel_filters(80, 201, 16_000)
    assert filters.shape == (201, 80)
    # First filter of Whisper's mel_filters.npz peaks at its second bin with 0.02486.
    assert filters[1, 0].item() == pytest.approx(0.02486, abs=2e-4)
