"""From a transformers Whisper and its tokenizer to the INT8 folder that faster-whisper loads."""

import json
import tempfile
from pathlib import Path

import transformers.utils
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer

from turbo_stream._util.timebase import SAMPLE_RATE

# transformers imports torchaudio wherever it is installed, and PyPI's torchaudio, a CUDA build,
# cannot be imported beside a CPU torch. Nothing here needs it.
transformers.utils.is_torchaudio_available = lambda: False

from transformers import (  # noqa: E402
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperModel,
)

__all__ = [
    "WhisperConfig",
    "WhisperFeatureExtractor",
    "WhisperForConditionalGeneration",
    "WhisperModel",
    "write_whisper_folder",
]


def write_whisper_folder(
    model: WhisperForConditionalGeneration, tokenizer: Tokenizer, window_s: int, out: Path
) -> None:
    """Write the INT8 CTranslate2 folder `out` of a model that takes at most `window_s`."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
        wrapped.save_pretrained(folder)
        tokenizer.save(str(Path(folder, "tokenizer.json")))
        features = {
            "chunk_length": window_s,
            "feature_size": 80,
            "hop_length": 160,
            "n_fft": 400,
            "sampling_rate": SAMPLE_RATE,
        }
        settings = json.dumps(features, indent=1) + "\n"
        Path(folder, "preprocessor_config.json").write_text(settings, encoding="utf-8")
        copied = ["tokenizer.json", "preprocessor_config.json"]
        converter = TransformersConverter(folder, copy_files=copied)
        converter.convert(str(out), quantization="int8", force=True)
