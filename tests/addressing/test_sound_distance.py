"""How far pronunciations are apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing.pronunciation import pronounce
from turbo_stream.addressing.sound_distance import UNKNOWN, shipped_costs, sound_distance

PHONES = st.lists(st.sampled_from(sorted(shipped_costs().numbers)), max_size=12)


@given(PHONES, PHONES)
def test_it_is_symmetric_and_between_nothing_and_one(one, other) -> None:
    distance = sound_distance(one, other)
    assert distance == sound_distance(other, one)
    assert 0.0 <= distance <= 1.0
    assert (distance == 0.0) == (one == other and UNKNOWN not in one)


@pytest.mark.parametrize(
    ("name", "near", "far"),
    [("onword", "onward", "computer"), ("thinkengine", "syncengine", "turntable")],
)
def test_what_is_misheard_is_nearer_than_what_is_not(name, near, far) -> None:
    said = pronounce(name)
    assert sound_distance(said, pronounce(near)) < 0.2 < 0.4 < sound_distance(said, pronounce(far))
