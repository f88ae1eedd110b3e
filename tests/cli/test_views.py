"""The three ways of showing events, on the same scripted stream."""

import io
import json

import pyte
import pytest
from rich.console import Console

from turbo_stream.cli.view import view as wording
from turbo_stream.cli.view.lines import JsonLines, PlainLines
from turbo_stream.cli.view.screen import Screen
from turbo_stream.cli.view.view import View
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    Ready,
    SourceChanged,
    SpeechStarted,
    Utterance,
)


def utterance(**changes) -> Utterance:
    values = {
        "id": 0,
        "start_s": 1.2,
        "end_s": 2.9,
        "decision": "accepted",
        "reason": None,
        "degraded": (),
        "directed_probability": 0.97,
        "threshold": 0.5,
        "text": "turn on the kitchen lights",
        "asr": {"backend": "whisper:tiny.en"},
        "latency_ms": {"endpoint_to_decision": 41.4, "asr": 35.0, "turbo": 6.0},
    }
    return Utterance(**{**values, **changes})


STREAM: list[Event] = [
    Ready("whisper:tiny.en", "silero", "turbo-rej-en", 0.5, ("friday",), "named", version="0.1.0"),
    SpeechStarted(0, 1.2),
    utterance(),
    utterance(
        id=1, decision="rejected", reason="not_directed", directed_probability=0.03, text=None
    ),
    utterance(
        id=2,
        decision="dropped",
        reason="too_short",
        directed_probability=None,
        text=None,
        latency_ms={},
    ),
    GapReported(5.0, 8000, "input overflow"),
    SourceChanged("reconnecting", "USB Audio"),
    Finished(3605.0, 10.0, 3595.0, 8000, 3, 1, 1, 1, 0.0123),
]


def play(view: View) -> None:
    for event in STREAM:
        view.show(event)
    view.close()


def test_plain_lines() -> None:
    out = io.StringIO()
    play(PlainLines(out))
    assert out.getvalue().splitlines() == [
        "turbo-listen 0.1.0 · asr whisper:tiny.en · vad silero · turbo-rej-en ≥ 0.50 · "
        "named: friday",
        "  0:01.2–0:02.9  ACCEPTED  0.97 ▕█████████▊▏  turn on the kitchen lights  41 ms",
        "  0:01.2–0:02.9  rejected  0.03 ▕▎         ▏  (not for the device)  41 ms",
        "  0:01.2–0:02.9  dropped                      (too short)",
        "0:05.0  0.50 s lost: input overflow",
        "source reconnecting USB Audio",
        "1:00:05.0 heard, 0:10.0 of it speech · 3 utterances: 1 accepted, 1 rejected, 1 dropped"
        " · 8000 samples lost · real-time factor 0.012",
    ]


def test_json_lines_hold_every_field_of_the_contract() -> None:
    out = io.StringIO()
    play(JsonLines(out))
    ready, started, accepted, rejected, dropped, gap, source, finished = map(
        json.loads, out.getvalue().splitlines()
    )
    assert ready["event"] == "ready"
    assert {"asr", "vad", "model", "threshold"} <= set(ready)
    assert started == {"event": "speech_started", "id": 0, "time_s": 1.2}
    for row in (accepted, rejected, dropped):
        assert set(row) == {
            "event",
            "id",
            "start_s",
            "end_s",
            "decision",
            "reason",
            "degraded",
            "directed_probability",
            "threshold",
            "text",
            "asr",
            "latency_ms",
            "evidence",
        }
    assert rejected["text"] is None and dropped["directed_probability"] is None
    assert gap["lost_samples"] == 8000 and source["state"] == "reconnecting"
    assert set(finished) == {
        "event",
        "audio_s",
        "speech_s",
        "silence_s",
        "lost_samples",
        "utterances",
        "accepted",
        "rejected",
        "dropped",
        "real_time_factor",
    }


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_the_screen_keeps_every_verdict_at_any_width(width: int) -> None:
    """What a terminal of 24 lines shows at the end, as a terminal emulator sees it."""
    out = io.StringIO(newline="\r\n")
    play(Screen(Console(file=out, width=width, height=24, force_terminal=True)))
    terminal = pyte.Screen(width, 24)
    pyte.Stream(terminal).feed(out.getvalue())
    lines = [line.rstrip() for line in terminal.display]
    assert lines[0].startswith("turbo-listen 0.1.0")
    shown = " ".join(" ".join(lines).split())
    for words in ("ACCEPTED", "rejected", "dropped", "(too short)", "0.50 s lost", "1:00:05.0"):
        assert shown.count(words) >= 1
    assert ("41 ms" in shown) == ("▕" in shown) == (width >= 64)
    assert "kitchen" in shown and "lights" in shown
    assert "Ctrl-C" not in shown, "the last state replaces the running one"


def test_the_words_keep_half_of_a_narrow_terminal() -> None:
    out = io.StringIO(newline="\r\n")
    play(Screen(Console(file=out, width=50, height=24, force_terminal=True)))
    terminal = pyte.Screen(50, 24)
    pyte.Stream(terminal).feed(out.getvalue())
    (row,) = (line for line in terminal.display if "ACCEPTED" in line)
    assert "turn on the kitchen" in row


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"degraded": ("asr_late",), "text": ""}, "(text too late)"),
        ({"degraded": ("cut_off",)}, "turn on the kitchen lights (cut off)"),
        (
            {"degraded": ("asr_failed", "gap"), "decision": "rejected", "text": None},
            "(not for the device; the recognizer failed; sound was lost)",
        ),
        ({"text": ""}, "(no words recognized)"),
    ],
)
def test_what_a_decision_rests_on_less_is_told(changes, told) -> None:
    out = io.StringIO()
    PlainLines(out).show(utterance(**changes))
    assert told in out.getvalue()
    assert wording.said(utterance(**changes)) == told


def test_barge_in_is_told_only_where_it_is_known() -> None:
    assert "barge_in" not in utterance().to_json()
    assert utterance(barge_in=False).to_json()["barge_in"] is False


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (61.25, "1:01.2"), (3599.96, "1:00:00.0")],
)
def test_clock(seconds: float, said: str) -> None:
    assert wording.clock(seconds) == said


@pytest.mark.parametrize("fraction", [-1, 0, 0.01, 0.5, 0.999, 1, 2])
def test_a_bar_is_always_as_wide(fraction: float) -> None:
    assert len(wording.bar(fraction)) == wording.BAR_CELLS
