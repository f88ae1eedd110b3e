"""What the model is told of a recording's words in training is what a device would tell it."""

import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.data.config import DataConfig
from training.data.hypotheses import MISSING, Hypothesis
from training.data.row import Row
from training.data.sampler import Sampler

HEARD_NOTHING = (-0.75, 0.5, 1.0, 0.0)
HEARD = (-0.3, 0.01, 1.1, 0.0)


class Store:
    """A frame for every clip."""

    def load(self, clip, variant: int) -> np.ndarray:
        return np.zeros((1, 2), np.float16)


def row(number: int, text: str | None, *hypotheses: Hypothesis) -> Row:
    return Row(
        label=number % 2,
        collection="c",
        group=str(number),
        synthetic=False,
        names=(),
        text=text,
        audio=Path(f"{number}.wav"),
        hypotheses=hypotheses,
    )


def drawn(rows: list[Row], *, no_text: float = 0.0) -> list:
    sampler = Sampler(
        rows, Store(), None, DataConfig(), 1, random.Random(0), batch=4, no_text=no_text, no_audio=0
    )
    return [sampler.draw() for _ in range(400)]


def test_a_recognizer_that_found_no_word_is_never_called_missing() -> None:
    silent = [row(n, None, Hypothesis("", HEARD_NOTHING)) for n in (0, 1)]
    assert {(e.text, e.confidence) for e in drawn(silent)} == {("", HEARD_NOTHING)}


def test_a_text_that_is_withheld_is_always_called_missing() -> None:
    spoken = [row(n, "turn it on", Hypothesis("turn on", HEARD)) for n in (0, 1)]
    assert {(e.text, e.confidence) for e in drawn(spoken, no_text=1.0)} == {("", MISSING)}


def test_a_text_never_has_the_confidence_of_none() -> None:
    rows = [
        row(0, "turn it on", Hypothesis("turn on", HEARD)),
        row(1, "turn it off", Hypothesis("", HEARD_NOTHING)),
    ]
    found = {(bool(e.text), e.confidence) for e in drawn(rows, no_text=0.2)}
    assert found == {(True, HEARD), (True, MISSING), (False, HEARD_NOTHING), (False, MISSING)}
