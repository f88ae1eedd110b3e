"""Audio towers: a frozen front and a trained body each."""

from torch import nn

from models.audio.compact import CompactFront, CompactTower
from models.audio.hugging_face import hugging_face_audio
from models.audio.layers import AudioBody
from models.audio.recognizer import RECOGNIZER, StatesFront
from models.audio.whisper_tiny import WhisperFront, WhisperTower
from models.config import ModelError, TurboConfig
from models.hugging_face import PREFIX
from models.tower import Front


def audio_modules(config: TurboConfig) -> tuple[Front, nn.Module]:
    """Return the front and the body of the audio tower `config` asks for.

    Raises:
        ModelError: there is none of that name.
    """
    if config.audio == "whisper-tiny":
        front = WhisperFront(config)
        return front, AudioBody(config, front.width) if config.audio_frozen else WhisperTower(
            config
        )
    if config.audio == "compact":
        if config.audio_frozen:
            raise ModelError(
                "audio_frozen=true: the compact tower has no pretrained weights to keep"
            )
        return CompactFront(config), CompactTower(config)
    if config.audio == RECOGNIZER:
        states = StatesFront(config)
        return states, AudioBody(config, states.width)
    if config.audio.startswith(PREFIX):
        return hugging_face_audio(config)
    raise ModelError(
        f"audio {config.audio!r}: unknown; allowed: whisper-tiny, compact, recognizer, hf:NAME"
    )
