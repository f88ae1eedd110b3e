"""Turbo: tells whether speech is meant for the device."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from models.audio import audio_modules
from models.config import TurboConfig
from models.end_of_turn import EndOfTurn
from models.fusion import build_fusion
from models.text import text_modules
from models.tower import Projection


class Scores(NamedTuple):
    """What the network says of a batch."""

    logits: Tensor
    """`[B, K]`, before calibration."""

    audio_embedding: Tensor
    """`[B, D]`."""

    text_embedding: Tensor
    """`[B, D]`."""

    end_of_turn: Tensor | None = None
    """`[B]`, logits that the speaker has finished, by the sound alone; None without that head."""


class Turbo(nn.Module):
    """Two towers and their fusion (arXiv 2409.09282).

    A tower is a front and a body. The front is frozen and free of dropout: what it makes of a clip
    is the same in both views and every epoch, and may be kept. The body is trained.
    """

    def __init__(self, config: TurboConfig) -> None:
        """Build the network of `config`, with random weights.

        Raises:
            ModelError: no tower or fusion has the name `config` asks for.
        """
        super().__init__()
        self.config = config
        self.audio_front, self.audio_tower = audio_modules(config)
        self.text_front, self.text_tower = text_modules(config)
        self.fusion = build_fusion(config)
        self.audio_projection = Projection(config.hidden, config.projection)
        self.text_projection = Projection(config.hidden, config.projection)
        self.end_of_turn = (
            EndOfTurn(self.audio_front.width, config.end_of_turn) if config.end_of_turn else None
        )
        for front in (self.audio_front, self.text_front):
            front.requires_grad_(False).eval()
        if self.end_of_turn is not None:
            # It has data and a loss of its own (training.end_of_turn): no other run may move it.
            self.end_of_turn.requires_grad_(False)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the trained parameters: `audio` and `text` from pretrained weights, `head` new."""
        towers: tuple[Any, Any] = (self.audio_tower, self.text_tower)
        audio, text = (tower.pretrained() for tower in towers)
        known = {id(parameter) for parameter in (*audio, *text)}
        fronts = (*self.audio_front.parameters(), *self.text_front.parameters())
        known |= {id(parameter) for parameter in fronts}
        head = [parameter for parameter in self.parameters() if id(parameter) not in known]
        return {"audio": audio, "text": text, "head": head}

    def forward(
        self,
        waveform: Tensor,
        waveform_length: Tensor,
        token_ids: Tensor,
        token_mask: Tensor,
        confidence: Tensor,
    ) -> Scores:
        """Score a padded batch; a row's scores depend on that row alone.

        `waveform` `[B, T]` float32 in [-1, 1], `waveform_length` `[B]` samples (0: no sound), or
        for the tower `recognizer` states `[B, T, F]` and their number in place of both;
        `token_ids` and `token_mask` `[B, L]` (mask all 0: no text), `confidence` `[B, C]`.
        """
        frames, mask = self.audio_front(waveform, waveform_length)
        audio = self.audio_tower(frames, mask)
        text = self.text_tower(self.text_front(token_ids, token_mask), token_mask)
        head = self.end_of_turn
        finished = None if head is None else head(frames, mask)
        logits = self.fusion(audio, text, confidence)
        return Scores(logits, audio.pooled, text.pooled, finished)
