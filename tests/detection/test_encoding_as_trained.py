"""The device must encode text as the trainer did: the graph cannot tell the difference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.addressing.name_mark import mark_names
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.detection._tokenizer import TextTokenizer
from turbo_stream.detection.package import SHIPPED

pytest.importorskip("torch", reason="needs the train extra (torch)")
pytestmark = pytest.mark.training

spoken = st.lists(
    st.sampled_from(["turn", "on", "friday", "what's", "Lights!", "21", "café", "—"])
    | st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=8),
    max_size=8,
).map(" ".join)


@pytest.fixture(scope="module")
def encoders():
    from tokenizers import Tokenizer

    path = SHIPPED / "tokenizer.json"
    theirs = Tokenizer.from_file(str(path))
    return TextTokenizer.from_file(path, max_tokens=64, marked=True), theirs


@settings(max_examples=200, deadline=None)
@given(
    text=spoken,
    names=st.lists(st.sampled_from(["friday", "Hey Jarvis", "max"]), max_size=2),
    before=spoken,
)
def test_ids_and_mask_are_those_of_training(encoders, text, names, before):
    from training.data.batch import encode

    ours, theirs = encoders
    ids, mask = ours.encode(text, names, before=before)
    marked = mark_names(text, NameSearch(names)) if names else text
    expected_ids, expected_mask = encode(theirs, marked, before, 64)
    assert mask[0].tolist()[:1] == expected_mask[:1]
    if mask.any():
        assert ids[0].tolist() == expected_ids
