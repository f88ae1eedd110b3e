"""Favouring what follows an accepted utterance: its state, its laws, and that it is off."""

import contextlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from tests.support.paths import KITCHEN
from tests.support.streams import feed, untimed
from tests.support.tiny_package import write_package
from turbo_stream import (
    Event,
    LiveConfig,
    LivePipeline,
    PackageError,
    Pipeline,
    Utterance,
    open_source,
)
from turbo_stream._util.probability import shifted
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.cli.listen import listen
from turbo_stream.deciding.follow_up import FollowUp
from turbo_stream.detection.follow_up_prior import FollowUpPrior
from turbo_stream.detection.package import ModelPackage
from turbo_stream.segmentation.segment import Segment

PRIOR = FollowUpPrior(log_odds=2.0, decay_s=5.0)
KEY = {"log_odds": 2.0, "decay_s": 5.0}
ALWAYS = {"method": "affine", "scale": 0.001, "bias": [0.0, 3.0]}
calm = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def following(prior: FollowUpPrior = PRIOR, detector: LoudnessDetector | None = None) -> Pipeline:
    plain = make_pipeline(ScriptedRecognizer(), detector)
    return Pipeline(plain.segmented, plain.decider, ready=plain.ready, follow_up=FollowUp(prior))


def said(pipeline: Pipeline, pcm: np.ndarray, sizes: list[int]) -> list[Event]:
    return untimed(feed(pipeline, pcm, sizes))


def utterances(events: list[Event]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def test_what_follows_an_accepted_utterance_is_favoured_by_the_time_between(excerpt) -> None:
    plain = utterances(said(make_pipeline(detector=LoudnessDetector(always=0.6)), excerpt, [4000]))
    found = utterances(said(following(detector=LoudnessDetector(always=0.6)), excerpt, [4000]))
    assert [u.directed_probability for u in plain] == [0.6] * 3
    assert found[0].directed_probability == 0.6 and found[0].follow_up_log_odds == 0.0
    for before, after in zip(found, found[1:], strict=False):
        wanted = 2.0 * math.exp(-(after.start_s - before.end_s) / 5.0)
        assert after.follow_up_log_odds == pytest.approx(wanted)
        odds = after.directed_probability / (1 - after.directed_probability)
        assert math.log(odds / 1.5) == pytest.approx(wanted)


def test_rejected_speech_leaves_no_trace_in_it(excerpt) -> None:
    found = utterances(said(following(detector=LoudnessDetector(always=0.4)), excerpt, [4000]))
    assert [(u.decision, u.follow_up_log_odds) for u in found] == [("rejected", 0.0)] * 3


def test_it_is_off_unless_asked_for_and_then_says_nothing(excerpt) -> None:
    events = said(make_pipeline(), excerpt, [4000])
    assert all("follow_up_log_odds" not in event.to_json() for event in events)
    assert "follow_up_log_odds" in utterances(said(following(), excerpt, [4000]))[0].to_json()


@calm
@given(sizes=st.lists(st.integers(1, 50_000), min_size=1, max_size=20))
def test_chunking_never_changes_a_decision(excerpt, sizes: list[int]) -> None:
    assert said(following(), excerpt, sizes) == said(following(), excerpt, [len(excerpt)])


@calm
@given(cut=st.integers(0, 12 * SAMPLE_RATE))
def test_more_audio_never_changes_an_event_already_emitted(excerpt, cut: int) -> None:
    early = following().process(excerpt[:cut])
    early = [replace(e, latency_ms={}) if isinstance(e, Utterance) else e for e in early]
    assert early == said(following(), excerpt, [len(excerpt)])[: len(early)]


def test_a_new_stream_knows_nothing_of_the_last(excerpt) -> None:
    pipeline = following()
    first = said(pipeline, excerpt, [4000])
    pipeline.reset()
    assert said(pipeline, excerpt, [1234]) == first


probabilities = st.floats(0, 1)
log_odds = st.floats(0, 1000)


@given(probability=probabilities, added=log_odds)
@example(probability=5e-324, added=1000.0)
def test_it_never_takes_away(probability: float, added: float) -> None:
    assert probability - 1e-12 <= shifted(probability, added) <= 1.0
    assert shifted(probability, 0.0) == probability


@given(gap_s=st.floats(0, 1e6), more_s=st.floats(0, 1e6))
def test_it_fades(gap_s: float, more_s: float) -> None:
    state = FollowUp(PRIOR)
    empty = np.zeros(0, np.int16)

    def added(start_s: float) -> float:
        at = round(start_s * SAMPLE_RATE)
        return state.log_odds(Segment(0, at, at + 1, at + 2, empty))

    assert added(gap_s) == 0.0
    state.note(accepted_until(0.0))
    assert 0.0 <= added(gap_s + more_s) <= added(gap_s) <= PRIOR.log_odds


def test_a_package_may_say_how_much(tmp_path) -> None:
    assert ModelPackage.load(write_package(tmp_path / "plain")).follow_up == FollowUpPrior()
    package = write_package(tmp_path / "own", follow_up={"log_odds": 0.5, "decay_s": 3})
    assert ModelPackage.load(package).follow_up == FollowUpPrior(0.5, 3.0)
    package = write_package(tmp_path / "wrong", follow_up={"log_odds": -1, "decay_s": 3})
    with pytest.raises(PackageError, match="'follow_up.log_odds' is -1"):
        ModelPackage.load(package)


@pytest.mark.slow
def test_the_command_line_and_the_live_shell_favour_alike(tmp_path, capsys) -> None:
    """The package accepts everything, so every utterance but the first follows one."""
    package = write_package(tmp_path / "package", calibration=ALWAYS, follow_up=KEY)
    options = [str(KITCHEN), "--jsonl", "--asr", "none", "--model", str(package)]
    found = []
    for extra in ([], ["--follow-up"]):
        assert run_command(listen, [*options, *extra]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        found.append([line for line in lines if line["event"] == "utterance"])
    off, on = found
    assert not any("follow_up_log_odds" in line for line in off)
    assert [line["follow_up_log_odds"] > 0 for line in on] == [False] + [True] * (len(on) - 1)

    pipeline = Pipeline.load(package, asr="none", follow_up=True)
    with contextlib.closing(open_source(str(KITCHEN))) as source:
        live = utterances(list(LivePipeline(pipeline, source, LiveConfig(max_waiting=99)).run()))
    assert [u.follow_up_log_odds for u in live] == [line["follow_up_log_odds"] for line in on]


def accepted_until(end_s: float) -> Utterance:
    return Utterance(
        id=0,
        start_s=0.0,
        end_s=end_s,
        decision="accepted",
        reason=None,
        degraded=(),
        directed_probability=0.9,
        threshold=0.5,
        text="yes",
        asr={"backend": "none"},
    )
