"""Scores rows with a model, as a device would meet them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.tower import Encoded
from models.turbo import Turbo
from training.data.batch import Example, collate
from training.data.features import AS_RECORDED, FeatureStore, TextStates
from training.data.hypotheses import MISSING
from training.data.row import Row
from training.fitting.finite import check_finite

MODES = ("fused", "audio", "text")
"""What is listened to: both, sound alone, words alone."""


def _nothing(encoded: Encoded, like: Encoded) -> Encoded:
    """Spread one encoding of nothing over as many rows as `like` has."""
    rows = len(like.pooled)
    return Encoded(*(part.expand(rows, *part.shape[1:]) for part in encoded))


@dataclass(frozen=True)
class Scorer:
    """Everything between rows and logits but the model."""

    tokenizer: Tokenizer

    store: FeatureStore | None
    """None where no row has sound."""

    text_states: TextStates | None = None
    """Where the text front is frozen."""

    transcripts: str = "auto"
    """Whose words are read, see `DataConfig`."""

    batch: int = 32
    """Rows at a time."""

    def _example(self, row: Row, variant: int) -> Example:
        frames = None
        if row.audio is not None and self.store is not None:
            frames = self.store.load(row.clip, variant)
        text, confidence = row.words(self.transcripts)
        # Without the names of the rows: which collection has them may tell the class.
        return Example(frames, text, confidence, row.label, row.before)

    @torch.inference_mode()
    def __call__(
        self,
        model: Turbo,
        rows: Sequence[Row],
        *,
        variant: int = AS_RECORDED,
        modes: Sequence[str] = MODES,
    ) -> dict[str, NDArray[np.float64]]:
        """Return logits `[N, K]` of `rows` for every one of `modes`.

        Sound and words are encoded once for all modes; what a mode leaves out is given to the
        fusion as missing, exactly as if it had not been there.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        model.eval()
        device = next(model.parameters()).device
        width = model.audio_front.width
        most = model.config.max_tokens
        nothing = collate(
            [Example(None, "", MISSING, 0)], self.tokenizer, width, device, max_tokens=most
        )
        silence = model.audio_tower(nothing.frames, nothing.frame_mask)
        states = model.text_front(nothing.token_ids, nothing.token_mask)
        no_words = model.text_tower(states, nothing.token_mask)

        examples = [self._example(row, variant) for row in rows]
        order = sorted(range(len(rows)), key=lambda i: _steps(examples[i]))
        logits = {mode: np.zeros((len(rows), len(model.config.labels))) for mode in modes}
        for start in range(0, len(order), self.batch):
            chosen = order[start : start + self.batch]
            members = [examples[i] for i in chosen]
            part = collate(
                members, self.tokenizer, width, device, self.text_states, max_tokens=most
            )
            audio = model.audio_tower(part.frames, part.frame_mask)
            states = part.text_states
            if states is None:
                states = model.text_front(part.token_ids, part.token_mask)
            text = model.text_tower(states, part.token_mask)
            unsure = nothing.confidence.expand(len(chosen), -1)
            for mode in modes:
                found = model.fusion(
                    _nothing(silence, audio) if mode == "text" else audio,
                    _nothing(no_words, text) if mode == "audio" else text,
                    unsure if mode == "audio" else part.confidence,
                )
                logits[mode][chosen] = found.double().cpu().numpy()
        check_finite({f"the scores of {mode}": found for mode, found in logits.items()})
        return logits


def _steps(example: Example) -> int:
    return 0 if example.frames is None else len(example.frames)


def margin(logits: NDArray, directed: int) -> NDArray:
    """Log-odds of the directed class, `[N]`, from logits `[N, K]`."""
    others = np.delete(logits, directed, axis=1)
    return logits[:, directed] - np.logaddexp.reduce(others, axis=1)
