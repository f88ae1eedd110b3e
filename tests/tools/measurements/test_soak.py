"""The soak notices what grows, what is lost and what is told twice."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.fakes import make_pipeline
from tools.measurements.soak import day as soak_day
from tools.measurements.soak.day import Day, soak
from tools.measurements.soak.figures import judged, slope
from tools.measurements.soak.mixed_sound import KINDS, piece, with_echo


def samples(**change) -> list[dict]:
    """A day in which nothing changes but `change`, a function of the hour, and chance."""
    rng = np.random.default_rng(3)
    steady = {"resident_mb": 200.0, "children_mb": 0.0, "files": 9, "threads": 6, "latency_ms": 50}
    lines = []
    for hour in np.arange(0.5, 24.5, 0.5):
        line = {"hours": float(hour), **steady, **{k: f(hour) for k, f in change.items()}}
        line["resident_mb"] += rng.normal(0, 4)
        line["latency_ms"] += rng.normal(0, 4)
        lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        (None, {}),
        # What fills up in the first hour is no leak.
        (None, {"resident_mb": lambda hour: 150.0 if hour < 1 else 200.0}),
        ("memory", {"resident_mb": lambda hour: 200 + 1.5 * hour}),
        ("memory", {"children_mb": lambda hour: 1.5 * hour}),
        ("latency", {"latency_ms": lambda hour: 50 + hour}),
        ("files", {"files": lambda hour: 9 + (hour > 20)}),
        ("threads", {"threads": lambda hour: 6 + int(hour) // 12}),
    ],
)
def test_what_grows_is_noticed(broken, change) -> None:
    held = judged(samples(**change))["held"]
    assert {name for name, kept in held.items() if not kept} == ({broken} if broken else set())


def test_a_slope_knows_how_sure_it_is() -> None:
    hours, rng = np.arange(0, 24, 0.5), np.random.default_rng(1)
    found = slope(hours, 3 + 0.5 * hours + rng.normal(0, 1, len(hours)))
    assert found["low"] < 0.5 < found["high"] and found["high"] - found["low"] < 0.3
    assert slope([1, 2], [1, 2])["low"] == -np.inf


def test_a_piece_is_made_of_its_number_alone(kitchen_pcm) -> None:
    for number in range(20):
        one, other = (piece(kitchen_pcm, 0.5, np.random.default_rng(number)) for _ in range(2))
        assert len(one) == 8000 and one.dtype == np.int16 and np.array_equal(one, other)
    assert with_echo(one, other).dtype == np.int16
    assert sum(KINDS.values()) == pytest.approx(1)


def test_minutes_of_it_are_accounted_for(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(soak_day, "_PIECES_BETWEEN_GAPS", 2)
    monkeypatch.setattr(soak_day, "_DEVICE_PLAYS", 0.5)
    found = soak(make_pipeline(partials=False), 0.05, every_h=0.01, out=tmp_path)
    accounts = set(found["held"]) - {"memory", "latency", "files", "threads"}
    assert len(accounts) == 5 and all(found["held"][name] for name in accounts)
    assert sum(found["decisions"].values()) > 1 and found["lost_samples"] > 0
    assert found["barge_in"] >= 0 and found["hours"] == pytest.approx(0.05)
    lines = (tmp_path / "samples.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == found["samples"] > 3
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == json.loads(
        json.dumps(found)
    )


def test_what_is_lost_or_told_twice_is_noticed() -> None:
    pipeline, day = make_pipeline(partials=False), Day(0.05, 0.01)
    events = list(soak_day.LivePipeline(pipeline, day).run())
    for event in events:
        day.note(event)
    assert all(day.accounts(events[-1]).values()) and day.started
    finished = events[-1]
    for name, field, value in (
        ("decisions", "utterances", finished.utterances + 1),
        ("decisions", "rejected", finished.rejected + 1),
        ("samples_heard", "audio_s", finished.audio_s + 1 / 16_000),
        ("samples_lost", "lost_samples", finished.lost_samples + 1),
        ("speech_and_silence", "speech_s", finished.speech_s + 0.1),
    ):
        assert not day.accounts(replace(finished, **{field: value}))[name]
    day.note(next(event for event in events if isinstance(event, soak_day.Utterance)))
    assert not day.accounts(finished)["one_terminal_event_each"]


def test_a_promise_that_was_not_kept_is_its_status(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(soak_day.Pipeline, "load", lambda **_: make_pipeline())
    for kept, status in ((True, 0), (False, 1)):
        monkeypatch.setattr(soak_day, "soak", lambda *a, k=kept, **_: {"held": {"memory": k}})
        out = tmp_path / str(kept)
        result = CliRunner().invoke(soak_day.main, ["--out", str(out), "--hours", "0.1"])
        assert result.exit_code == status and out.is_dir()
