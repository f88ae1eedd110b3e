"""What the model is told of a recording's words in training is what a device would tell it."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from tests.support.tiny_corpus import word_tokenizer
from training.data.batch import Example, collate
from training.data.config import DataConfig
from training.data.hypotheses import MISSING, Hypothesis
from training.data.row import Row
from training.data.sampler import Sampler
from turbo_stream.addressing.name_mark import OWN_NAME

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


def test_without_sound_the_same_rows_come_in_the_same_batches() -> None:
    rows = [row(n, f"turn it {n}", Hypothesis(f"turn {n}", HEARD)) for n in range(20)]

    def batches(data: DataConfig) -> list[list[Example]]:
        sampler = Sampler(
            rows, Store(), None, data, 1, random.Random(0), batch=4, no_text=0.4, no_audio=0.3
        )
        given = sampler.batches(list)
        return [next(given) for _ in range(6)]

    whole, words = batches(DataConfig()), batches(DataConfig(sound=False))
    assert any(example.frames is not None for batch in whole for example in batch)
    assert [[replace(e, frames=None) for e in batch] for batch in whole] == words


def test_no_mark_counts_as_a_word() -> None:
    tokenizer = word_tokenizer(["[NAME]", "turn", "it", "on"])
    text, before = f"turn {OWN_NAME} on never", "it"
    examples = [Example(None, text, MISSING, 0, before), Example(None, "", MISSING, 0)]
    batch = collate(examples, tokenizer, 2, torch.device("cpu"), max_tokens=16)
    names = [tokenizer.id_to_token(index) for index in batch.token_ids[0].tolist()]
    words = [name for name, kept in zip(names, batch.word_mask[0], strict=True) if kept]
    assert names.count("[SEP]") == 2 and "[NAME]" in names
    assert words == ["turn", "on", "[UNK]", "it"]
    assert not batch.word_mask[1].any()
