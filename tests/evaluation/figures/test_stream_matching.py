import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_rows import recording
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.spans import Span, read_spans
from turbo_stream.evaluation.figures.stream_matching import match


def spans(*edges):
    return [Span(start, end, "directed") for start, end in edges]


#            spans                 events                    owner of each event   merging
CASES = {
    "one for one": ([(1, 2), (4, 6)], [(1.1, 2.1), (3.9, 6)], [0, 1], []),
    "nothing heard": ([(1, 2)], [], [], []),
    "nothing said": ([], [(1, 2)], [None], []),
    "touching is not sharing": ([(1, 2)], [(2, 3)], [None], []),
    "split": ([(1, 5)], [(1, 2.5), (3, 5)], [0, 0], []),
    "merged, belongs to the longer": ([(1, 2), (2.5, 5)], [(1, 5)], [1], [0]),
    "equal shares go to the earlier": ([(3, 4), (1, 2)], [(1, 4)], [1], [0]),
    "exactly 30 % of the span": ([(0, 10)], [(7, 18)], [0], []),
    "exactly 30 % of the event": ([(0, 100)], [(99.7, 100.7)], [0], []),
    "just below 30 % of both": ([(0, 10)], [(7.1, 17.1)], [None], []),
    "30 % in floats that miss it": ([(2.7, 3.7)], [(3.4, 9)], [0], []),
    "short word inside a long event": ([(4, 4.5)], [(0, 10)], [0], []),
    "edge of a neighbour is no merge": ([(0, 2), (2.1, 6)], [(0, 2.4)], [0], []),
    "overlapping talkers": ([(0, 4), (1, 3)], [(0.1, 4)], [0], [0]),
    "most overlap wins though another fits": ([(0, 1), (1, 21)], [(0, 3)], [1], [0]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_drawn_by_hand(case):
    edges, events, owners, merging = case
    found = match(spans(*edges), events)
    assert list(found.span_of_event) == owners
    assert list(found.merging) == merging


def test_an_event_that_does_not_fit_its_best_span_belongs_nowhere():
    # It shares most with the long span, but only 2 of 20 s and 2 of 7.2 s (28 %); the short span
    # beside it fits (100 %), but shares less.
    found = match(spans((0, 20), (25, 26)), [(18, 25.2)])
    assert found.span_of_event == (None,)
    found = match(spans((0, 20), (20.1, 21)), [(18, 25.2)])
    assert found.span_of_event == (None,)
    assert found.merging == ()


def test_split_and_missed():
    found = match(spans((0, 4), (5, 6), (10, 11)), [(0, 1.5), (2, 4), (5, 6)])
    assert found.events_of_span == ((0, 1), (2,), ())
    assert found.split == (0,)
    assert found.missed == (2,)


def test_events_of_a_span_are_in_time():
    assert match(spans((0, 4)), [(2, 4), (0, 1.5)]).events_of_span == ((1, 0),)


EDGE = st.integers(0, 60).map(lambda n: n / 10)
PIECES = st.lists(
    st.tuples(EDGE, EDGE).filter(lambda e: e[0] != e[1]).map(lambda e: (min(e), max(e))), max_size=8
)


@settings(deadline=None)
@given(PIECES, PIECES)
def test_every_event_belongs_to_at_most_one_span_as_defined(edges, events):
    found = match(spans(*edges), events)
    assert sum(len(members) for members in found.events_of_span) == sum(
        owner is not None for owner in found.span_of_event
    )
    for (start, end), owner in zip(events, found.span_of_event, strict=True):
        shared = [max(0.0, min(end, b) - max(start, a)) for a, b in edges]
        if owner is not None:
            a, b = edges[owner]
            assert shared[owner] == max(shared) > 0
            assert shared[owner] >= 0.3 * min(b - a, end - start) - 1e-6
        elif shared:
            best = shared.index(max(shared))
            a, b = edges[best]
            assert shared[best] <= 0.3 * min(b - a, end - start) + 1e-6


@pytest.mark.parametrize(
    "segment",
    [
        None,
        "1-2",
        {},
        {"start_s": 1, "end_s": 1, "label": "directed"},
        {"start_s": 2, "end_s": 1, "label": "directed"},
        {"start_s": -1, "end_s": 1, "label": "directed"},
        {"start_s": "0", "end_s": 1, "label": "directed"},
        {"start_s": True, "end_s": 2, "label": "directed"},
        {"start_s": 0, "end_s": float("nan"), "label": "directed"},
        {"start_s": 0, "end_s": 1},
        {"start_s": 0, "end_s": 1, "label": ""},
        {"start_s": 0, "end_s": 1, "label": 3},
    ],
)
def test_a_segment_that_is_none_is_refused_by_file(segment):
    with pytest.raises(InputError, match=r"long\.wav") as caught:
        read_spans({"audio_filepath": "long.wav", "segments": [segment]})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("segments", [None, "x", 3, {}])
def test_segments_must_be_a_list(segments):
    with pytest.raises(InputError, match="list"):
        read_spans({"audio_filepath": "long.wav", "segments": segments})


def test_reads_spans():
    row = recording([(1, 2, "directed", "light on"), (3, 4, "tv")], [])
    assert read_spans(row) == [Span(1, 2, "directed", "light on"), Span(3, 4, "tv")]
