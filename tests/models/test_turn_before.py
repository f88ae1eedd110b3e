"""The vector of a text is that of its words, however long the turn before them is."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_network import TINY

END = TINY.sep_token_id
WORDS, TURN = [2, 9, 8, END], [7, 6, 5, 4, 7, 6, 5, 4, END]
KINDS = {
    "minilm": {},
    "minilm, frozen": {"text_frozen": True, "hidden": 16, "body_heads": 2},
    "compact": {"text": "compact", "body_layers": 2, "body_heads": 2},
}


def tower(kind: str, text_input: str) -> Turbo:
    torch.manual_seed(0)
    return Turbo(replace(TINY, text_input=text_input, **KINDS[kind])).eval()


@torch.inference_mode()
def encoded(model: Turbo, *rows: list[int]):
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return model.text_tower(model.text_front(ids, mask), mask)


@pytest.mark.parametrize("kind", KINDS)
def test_a_turn_before_is_read_and_not_counted(kind: str) -> None:
    after = encoded(tower(kind, "marked"), [*WORDS, *TURN])
    assert after.mask[0].tolist() == [1.0] * len(WORDS) + [0.0] * len(TURN)
    assert torch.allclose(after.pooled, after.states[0, : len(WORDS)].mean(0), atol=1e-6)
    alone = encoded(tower(kind, "marked"), WORDS)
    assert not torch.allclose(after.pooled, alone.pooled, atol=1e-4), "the words attend to it"


@pytest.mark.parametrize("kind", ["minilm", "compact"])
def test_while_a_tower_learns_the_turn_counts(kind: str) -> None:
    learning = encoded(tower(kind, "marked").train(), [*WORDS, *TURN])
    assert learning.mask[0].tolist() == [1.0] * len(WORDS + TURN)
    assert torch.allclose(learning.pooled, learning.states[0].mean(0), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_names_before_a_text_count_as_they_did(kind: str) -> None:
    model = tower(kind, "names")
    whole = encoded(model, [*WORDS, *TURN])
    assert whole.mask[0].tolist() == [1.0] * len(WORDS + TURN)
    assert torch.allclose(whole.pooled, whole.states[0].mean(0), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_turn_nothing_has_changed(kind: str) -> None:
    marked, names = (encoded(tower(kind, text), WORDS) for text in ("marked", "names"))
    assert torch.equal(marked.pooled, names.pooled)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_with_a_turn_does_not_see_its_batch(kind: str) -> None:
    model = tower(kind, "marked")
    both = encoded(model, [*WORDS, *TURN], [2, 9, END])
    for at, row in enumerate(([*WORDS, *TURN], [2, 9, END])):
        assert torch.allclose(both.pooled[at], encoded(model, row).pooled[0], atol=1e-5)
