"""Audio towers around an encoder of Hugging Face transformers."""

import json
from typing import Any

import torch
from torch import Tensor, nn

from models.audio.layers import AudioBody
from models.audio.wave_encoder import WaveLayers, WaveStem
from models.audio.whisper import WhisperLayers, WhisperStem
from models.config import ModelError, TurboConfig
from models.hugging_face import build_model, read_architecture, read_model, reads_normalized
from models.tower import Encoded, Front, attention_scorer, attentive_pool, average_steps, in_views

Stem = WaveStem | WhisperStem
Layers = WaveLayers | WhisperLayers


class FrozenEncoder(Front):
    """The whole encoder as a front, its states averaged by `every`."""

    def __init__(self, stem: Stem, layers: Layers, every: int) -> None:
        super().__init__(layers.width)
        self.stem, self.layers, self.every = stem, layers, every

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return states `[B, N, F]` and their mask `[B, N]`, from `waveform` `[B, T]`."""
        frames, mask = self.stem(waveform, length)
        return average_steps(self.layers(frames, mask) * mask[:, :, None], mask, self.every)


class TrainedEncoder(nn.Module):
    """The encoder's layers, trained, a linear layer where widths differ, attentive pooling."""

    def __init__(self, config: TurboConfig, layers: Layers) -> None:
        super().__init__()
        self.layers = layers
        same = layers.width == config.hidden
        self.exit = nn.Identity() if same else nn.Linear(layers.width, config.hidden)
        self.score = attention_scorer(config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return the parameters that start from pretrained weights."""
        return list(self.layers.parameters())

    def forward(self, frames: Tensor, mask: Tensor, views: int = 1) -> Encoded:
        """Encode `frames` `[B, N, F]` `views` times; a row whose mask is all 0 is `missing`."""
        frames, mask = in_views(frames, views), in_views(mask, views)
        states = self.exit(self.layers(frames, mask))
        return attentive_pool(states, mask, self.score, self.missing)


def audio_architecture(name: str) -> str:
    """Return the configuration of encoder `name` as JSON, and how it wants its waveform.

    Raises:
        ModelError: there is no such encoder.
    """
    fields = read_architecture(name)
    normalized = reads_normalized(name)
    return json.dumps(fields if normalized is None else {**fields, "do_normalize": normalized})


def hugging_face_audio(config: TurboConfig) -> tuple[Front, nn.Module]:
    """Return front and body around the encoder whose configuration is `audio_architecture`.

    Raises:
        ModelError: there is none, or it is no encoder of a kind that is known here.
    """
    if not config.audio_architecture:
        raise ModelError(f"audio {config.audio}: audio_architecture is empty; use start_model")
    dropout = 0.0 if config.audio_frozen else config.dropout
    source = build_model(config.audio_architecture, dropout)
    fields = json.loads(config.audio_architecture)
    kind = source.config.model_type
    if kind == "whisper":
        whole = source.config.to_dict()
        normalize = fields.get("do_normalize", False)
        stem: Stem = WhisperStem(whole, sample_rate=config.sample_rate, normalize=normalize)
        inner = 0.0 if config.audio_frozen else config.inner_dropout
        layers: Layers = WhisperLayers(whole, dropout=dropout, inner_dropout=inner)
    elif all(hasattr(source, part) for part in ("feature_extractor", "feature_projection")):
        stem = WaveStem(source, normalize=fields.get("do_normalize", True))
        layers = WaveLayers(source)
    else:
        raise ModelError(
            f"audio {config.audio}: a {kind} is no audio encoder known here; allowed are hubert, "
            "wav2vec2, wavlm, others of their layout, and whisper"
        )
    if config.audio_frozen:
        front = FrozenEncoder(stem, layers, config.audio_pool)
        return front, AudioBody(config, front.width)
    return stem, TrainedEncoder(config, layers)


def load_hugging_face_audio(front: Any, tower: Any, name: str) -> None:
    """Fill what `hugging_face_audio` built with the weights of encoder `name`.

    Raises:
        ModelError: they cannot be loaded.
    """
    source = read_model(name)
    if isinstance(front, FrozenEncoder):
        front.stem.take(source)
        front.layers.take(source)
    else:
        front.take(source)
        tower.layers.take(source)
