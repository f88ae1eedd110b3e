from __future__ import annotations

import numpy as np
import pytest

RATE = 16_000


@pytest.mark.parametrize("samples", [0, 1, 319, 5_000, 5_600, 5_601, 32_000])
def test_features_of_silence_are_those_of_a_padded_sound(whisper, kitchen_pcm, samples) -> None:
    start = int(1.2 * RATE)
    pcm = kitchen_pcm[start : start + samples]
    window = max(6_400, samples + samples % 320)
    padded = np.zeros(window, np.float32)
    padded[:samples] = pcm / np.float32(32768)
    whole = whisper.reader._model.feature_extractor(padded, padding=0)
    found = whisper.reader.features(pcm, window)
    assert found.dtype == np.float32 and found.shape == whole.shape
    # The same numbers; a matrix product of another width may round the last bit differently.
    np.testing.assert_allclose(found, whole, rtol=0, atol=2e-6)
