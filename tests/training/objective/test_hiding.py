from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from training.objective.config import ObjectiveConfig
from training.objective.hiding import without_span, without_words
from training.objective.objective import ViewsModel
from turbo_stream.errors import InputError

HIDDEN = ObjectiveConfig(hide_frames=0.5, hide_words=0.4)


def test_a_span_is_within_the_row_and_never_all_of_it():
    torch.manual_seed(0)
    counts = torch.tensor([0, 1, 2, 10, 40]).repeat(200)
    mask = (torch.arange(40) < counts[:, None]).float()
    left = without_span(mask, 0.25)
    assert ((mask - left) >= 0).all()
    gone = (mask - left).sum(1)
    assert (gone <= 0.25 * counts).all()
    assert gone[counts == 40].max() == 10 and gone[counts == 40].min() == 0
    assert gone[counts == 10].max() == 2
    edges = torch.diff(mask - left, dim=1, prepend=torch.zeros(len(mask), 1))
    assert ((edges > 0).sum(1) <= 1).all()  # one span
    # Any step can be hidden, the first and the last too.
    assert ((mask - left)[counts == 40].sum(0) > 0).all()


def test_words_are_hidden_by_their_share_and_marks_never():
    torch.manual_seed(0)
    mask = torch.ones(500, 12, dtype=torch.long)
    mask[:, 10:] = 0
    words = mask.clone()
    words[:, [0, 4, 9]] = 0  # [CLS], [NAME], [SEP]
    left = without_words(mask, words, 0.3)
    assert left.dtype == mask.dtype
    gone = mask - left
    assert not gone[words == 0].any()
    assert gone[words == 1].float().mean() == pytest.approx(0.3, abs=0.03)


def test_a_row_keeps_at_least_one_word():
    torch.manual_seed(0)
    mask = torch.ones(200, 3, dtype=torch.long)
    words = torch.tensor([[0, 1, 0]]).repeat(200, 1)
    assert torch.equal(without_words(mask, words, 0.9), mask)


@pytest.mark.parametrize(
    "tower",
    [
        {},
        {"audio": "compact", "body_heads": 2},
        {"audio_frozen": True, "text_frozen": True, "body_heads": 2},
    ],
    ids=["trained", "compact", "frozen"],
)
def test_each_view_hides_its_own_in_every_tower(tower, batch):
    torch.manual_seed(0)
    model = Turbo(replace(TINY, dropout=0.0, **tower))
    views_model = ViewsModel(model, HIDDEN).train()
    frames = torch.randn(8, 40, model.audio_front.width)
    batch = replace(batch, frames=frames, frame_mask=torch.ones(8, 40))
    audio, text = views_model.encode(batch, 2)
    for found in (audio, text):
        first, second = found.pooled[:8], found.pooled[8:]
        assert (first - second).abs().amax(1).max() > 1e-5
    # Without any dropout, nothing else tells the views apart; in evaluation nothing does.
    for found in views_model.eval().encode(batch, 2):
        assert torch.equal(found.pooled[:8], found.pooled[8:])
    plain = ViewsModel(model, ObjectiveConfig()).train()
    for found in plain.encode(batch, 2):
        assert torch.equal(found.pooled[:8], found.pooled[8:])


def test_a_text_of_none_stays_missing(batch, tiny):
    torch.manual_seed(0)
    audio, text = ViewsModel(tiny, HIDDEN).train().encode(batch, 2)
    assert torch.equal(text.pooled[1], tiny.text_tower.missing)
    assert torch.equal(audio.pooled[0], tiny.audio_tower.missing)


@pytest.mark.parametrize("field", ["hide_frames", "hide_words"])
def test_a_share_is_below_one(field, tiny):
    with pytest.raises(InputError, match=rf"objective.{field}=1.0: a share"):
        ViewsModel(tiny, replace(ObjectiveConfig(), **{field: 1.0}))
