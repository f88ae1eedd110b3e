"""Text towers: a frozen front and a trained body each."""

from torch import nn

from models.config import ModelError, TurboConfig
from models.hugging_face import PREFIX
from models.text.compact import CompactText
from models.text.hugging_face import hugging_face_text
from models.text.layers import TextBody, TokenIds
from models.text.minilm import MiniLMFront, MiniLMTower
from models.tower import Front


def text_modules(config: TurboConfig) -> tuple[Front, nn.Module]:
    """Return the front and the body of the text tower `config` asks for.

    Raises:
        ModelError: there is none of that name.
    """
    if config.text == "minilm" and config.text_frozen:
        front = MiniLMFront(config)
        return front, TextBody(config, front.width)
    if config.text == "minilm":
        return TokenIds(), MiniLMTower(config)
    if config.text == "compact":
        if config.text_frozen:
            raise ModelError("text_frozen=true: allowed with minilm and hf:..., compact is trained")
        return TokenIds(), CompactText(config)
    if config.text.startswith(PREFIX):
        return hugging_face_text(config)
    raise ModelError(f"text {config.text!r}: unknown; allowed: minilm, compact, hf:NAME")
