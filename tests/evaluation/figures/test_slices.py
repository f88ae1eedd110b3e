import pytest

from tests.support.made_rows import row
from turbo_stream.evaluation.figures._slices import MAX_VALUES, figures, slice_figures

pytest.importorskip("sklearn")


def labelled(count=40, **columns):
    """Rows whose columns are functions of their number."""
    return [
        row(
            (i % 10) / 10,
            "directed" if i % 2 else "not_directed",
            **{name: of(i) for name, of in columns.items()},
        )
        for i in range(count)
    ]


def values(found, column):
    return [(line["value"], line["n"]) for line in found[column]]


def test_a_slice_has_the_figures_of_its_rows_alone():
    rows = labelled(room=lambda i: "kitchen" if i % 3 else "hall")
    found = slice_figures(rows, 0.5)
    assert values(found, "room") == [("kitchen", 26), ("hall", 14)]
    for line in found["room"]:
        inside = [one for one in rows if one["room"] == line["value"]]
        assert line == {"value": line["value"], **figures(inside, 0.5)}


def test_length_snr_and_hour_are_binned():
    rows = labelled(
        duration=lambda i: [0.5, 1.0, 3.0, 20.0][i % 4],
        snr=lambda i: [-3, 7, None, 40][i % 4],
        hour=lambda i: [3, 6, 18, 23][i % 4],
    )
    found = slice_figures(rows, 0.5)
    assert values(found, "duration") == [
        ("below 1", 10),
        ("1 to 2", 10),
        ("2 to 4", 10),
        ("15 and more", 10),
    ]
    assert values(found, "snr") == [
        ("below 0", 10),
        ("5 to 10", 10),
        ("30 and more", 10),
        ("(none)", 10),
    ]
    assert values(found, "hour") == [("below 6", 10), ("6 to 12", 10), ("18 and more", 20)]


def test_the_hour_is_read_from_a_time_of_recording():
    rows = labelled(recorded_at=lambda i: f"2026-03-0{i % 3 + 1}T{'07' if i % 4 else '22'}:15:00Z")
    found = slice_figures(rows, 0.5)
    assert values(found, "hour") == [("6 to 12", 30), ("18 and more", 10)]


def test_other_numbers_are_cut_at_their_quartiles():
    found = slice_figures(labelled(100, level=lambda i: float(i)), 0.5)
    assert [n for _, n in values(found, "level")] == [25, 25, 25, 25]


def test_few_numbers_are_names():
    found = slice_figures(labelled(take=lambda i: i % 3), 0.5)
    assert [value for value, _ in values(found, "take")] == ["0", "1", "2"]


def test_rare_values_share_a_line():
    rows = labelled(400, speaker=lambda i: f"s{i % 50}")
    lines = values(slice_figures(rows, 0.5), "speaker")
    assert len(lines) == MAX_VALUES
    assert lines[-1] == ("(31 others)", 31 * 8)
    assert sum(n for _, n in lines) == 400


def test_missing_values_are_a_slice():
    found = slice_figures(labelled(device=lambda i: "mic" if i % 4 else None), 0.5)
    assert values(found, "device") == [("mic", 30), ("(none)", 10)]


@pytest.mark.parametrize(
    "of",
    [
        lambda i: "same",
        lambda i: f"id-{i}",
        lambda i: ["a", "b"][: i % 2],
        lambda i: {"slot": i},
        lambda i: None,
    ],
    ids=["one value", "identifier", "lists", "objects", "nothing"],
)
def test_columns_that_tell_nothing_are_left_out(of):
    assert slice_figures(labelled(column=of), 0.5) == {}


def test_kinds_of_undirected_speech_are_slices():
    rows = labelled()
    for i, one in enumerate(rows):
        if one["label"] != "directed":
            one["label"] = "tv" if i % 4 else "talk"
    found = slice_figures(rows, 0.5)
    assert {value for value, _ in values(found, "label")} == {"directed", "tv", "talk"}
    assert slice_figures(labelled(), 0.5) == {}


def test_no_rows():
    assert slice_figures([], 0.5) == {}
