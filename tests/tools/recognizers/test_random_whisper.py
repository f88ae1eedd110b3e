"""Random Whisper folders load as real ones do and write as many tokens as asked."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.training


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [4, 12])
def test_text_has_the_wanted_length(tmp_path: Path, tokens: int) -> None:
    pytest.importorskip("torch", reason="needs the train extra")
    pytest.importorskip("transformers", reason="needs the train extra")
    from tools.recognizers.random_whisper import WINDOW_S, Shape, make_model, make_tokenizer
    from tools.recognizers.whisper_folder import write_whisper_folder
    from turbo_stream.recognition.whisper import WhisperRecognizer

    tokenizer = make_tokenizer()
    assert tokenizer.token_to_id("<|endoftext|>") == 50256
    assert tokenizer.token_to_id("<|notimestamps|>") == 50362
    assert tokenizer.get_vocab_size() == 51864
    folder = tmp_path / "random"
    model = make_model(Shape(width=64, layers=1, heads=2), tokenizer, tokens)
    write_whisper_folder(model, tokenizer, WINDOW_S, folder)

    rng = np.random.default_rng(0)
    noise = rng.integers(-3000, 3000, 48_000).astype(np.int16)
    reader = WhisperRecognizer(folder).reader
    decoded = reader.decode(reader.encode(reader.features(noise, 10 * 16_000)), cap=100)
    assert decoded.tokens == tokens
    assert not decoded.capped
