import pytest

from tests.support.made_rows import RUN, recording
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures._stream_figures import read_recordings, stream_metrics
from turbo_stream.evaluation.figures._summary import summarize

pytest.importorskip("sklearn")

STREAM = {**RUN, "mode": "stream"}

EVENING = recording(
    [
        (10, 12, "directed", "turn on the light"),
        (20, 24, "not_directed", "she was happy"),
        (30, 31, "directed", "stop"),
        (31.5, 34.5, "not_directed", "and then"),
        (50, 52, "directed", "never heard"),
        (60, 62, "directed", "too short"),
    ],
    [
        (10.1, 12.3, 0.9, "turn on the light"),  # right
        (20, 21.5, 0.7, "she was"),  # false accept, first half of a split span
        (22, 24.2, 0.2, "happy"),
        (30, 34.5, 0.6, "stop and then"),  # merges two spans, belongs to the longer one
        (40, 41, 0.8, "(a door)"),  # false accept outside of any span
        (45, 46, 0.1),
        (60, 62, None),  # dropped
    ],
    audio_s=1800.0,
    room="kitchen",
)


def test_an_evening_worked_out_by_hand():
    found = stream_metrics(read_recordings([EVENING]))
    assert (found["spans"], found["found"], found["missed"]) == (6, 3, 3)
    assert (found["splits"], found["merges"]) == (1, 1)
    assert (found["events"], found["dropped"]) == (6, 1)
    assert found["false_accepts"] == 3
    assert found["false_accepts_outside_spans"] == 1
    assert found["hours"] == 0.5
    assert found["false_accepts_per_hour"] == 6.0
    assert (found["directed_spans"], found["directed_spans_not_accepted"]) == (4, 3)
    assert found["false_reject"] == 0.75
    # Onsets: +0.1, 0, -1.5; offsets: +0.3, +0.2, 0.
    assert found["onset_error_s"] == {
        "p50": pytest.approx(0.1),
        "p95": pytest.approx(0.1 + 0.9 * 1.4),
        "bias": 0,
    }
    assert found["offset_error_s"]["p50"] == pytest.approx(0.2)
    assert found["offset_error_s"]["bias"] == pytest.approx(0.2)
    assert found["endpoint_to_decision_s"] == {"p50": 0.2, "p95": 0.2}


def test_the_curve_gives_hours_and_misses_at_every_threshold():
    curve = stream_metrics(read_recordings([EVENING]))["curve"]
    points = [(p["threshold"], p["false_accepts_per_hour"], p["missed"]) for p in curve]
    # Not directed: .7, .2, .6 (of the longer span), .8, .1. Directed: .9, and three never reached.
    assert points == [
        (0.1, 10.0, 0.75),
        (0.2, 8.0, 0.75),
        (0.6, 6.0, 0.75),
        (0.7, 4.0, 0.75),
        (0.8, 2.0, 0.75),
        (0.9, 0.0, 0.75),
    ]


def test_a_curve_has_few_points_and_both_ends():
    events = [(10 * i, 10 * i + 1, i / 1000) for i in range(900)]
    curve = stream_metrics(read_recordings([recording([], events, audio_s=9000.0)]))["curve"]
    assert len(curve) == 200
    assert (curve[0]["threshold"], curve[0]["false_accepts_per_hour"]) == (0.0, 360.0)
    assert (curve[-1]["threshold"], curve[-1]["missed"]) == (0.899, None)


def test_hours_and_counts_add_up_over_recordings():
    one = stream_metrics(read_recordings([EVENING]))
    two = stream_metrics(read_recordings([EVENING, {**EVENING, "audio_filepath": "b.wav"}]))
    for key in ("spans", "found", "missed", "splits", "merges", "false_accepts", "hours"):
        assert two[key] == 2 * one[key]
    assert two["false_accepts_per_hour"] == one["false_accepts_per_hour"]


def test_figures_are_of_the_decided_events():
    found = summarize([EVENING], STREAM)
    # Directed: 0.9. Not directed: 0.7, 0.2, 0.6, 0.8, 0.1.
    assert (found["n"], found["n_directed"]) == (6, 1)
    assert found["at_threshold"]["false_accept"] == pytest.approx(3 / 5)
    assert found["at_threshold"]["false_reject"] == 0
    assert found["auc"] == 1
    assert found["latency_ms"]["asr"] == {"p50": 30.0, "p95": 30.0}
    assert found["real_time_factor"] == pytest.approx(1 / 1800)
    assert found["stream"] == stream_metrics(read_recordings([EVENING]))


def test_items_carry_what_the_report_shows():
    (recorded,) = read_recordings([EVENING])
    first, *_, last = recorded.event_items()
    assert first["room"] == "kitchen"
    assert (first["label"], first["span"], first["text"]) == ("directed", 0, "turn on the light")
    assert (first["start_s"], first["duration"]) == (10.1, pytest.approx(2.2))
    assert "segments" not in first
    assert (last["label"], last["span"], last["text"]) == ("not_directed", None, None)


def test_spans_take_their_best_event():
    (recorded,) = read_recordings([EVENING])
    items = list(recorded.span_items())
    assert [item["decision"] for item in items] == [
        "accepted",
        "accepted",
        "missed",
        "accepted",
        "missed",
        "missed",
    ]
    assert [item["directed_probability"] for item in items] == [0.9, 0.7, None, 0.6, None, None]
    assert items[1]["text_used"] == "she was happy"


def test_word_errors_are_counted_on_found_spans():
    found = summarize([EVENING], STREAM)["word_errors"]
    assert (found["n"], found["reference_words"]) == (3, 4 + 3 + 2)
    assert (found["insertions"], found["deletions"], found["substitutions"]) == (1, 0, 0)


def test_no_events_and_no_spans():
    found = stream_metrics(read_recordings([recording([], [])]))
    assert (found["spans"], found["found"], found["missed"]) == (0, 0, 0)
    assert found["false_accepts_per_hour"] == 0
    assert found["false_reject"] is None
    assert found["onset_error_s"] == {"p50": None, "p95": None, "bias": None}
    nothing = stream_metrics([])
    assert nothing["false_accepts_per_hour"] is None


def test_unreadable_recordings_are_counted_as_failed():
    row = {"audio_filepath": "gone.wav", "segments": [], "error": "is not there"}
    found = summarize([EVENING, row], STREAM)
    assert found["failed"] == [{"audio_filepath": "gone.wav", "error": "is not there"}]
    assert found["stream"]["recordings"] == 1


def test_a_recording_without_length_is_refused():
    with pytest.raises(InputError, match="duration"):
        stream_metrics(read_recordings([{**EVENING, "audio_s": None}]))


def test_other_events_of_the_stream_are_passed_over():
    started = {"event": "speech_started", "id": 0, "time_s": 10.1}
    row = {**EVENING, "events": [started, *EVENING["events"]]}
    assert stream_metrics(read_recordings([row])) == stream_metrics(read_recordings([EVENING]))
