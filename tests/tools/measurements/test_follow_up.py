"""A prior on follow-ups, fitted to imagined sessions and judged on others."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.measurements.follow_up.__main__ import main
from tools.measurements.follow_up.judge import decide, false_rejects_at, fit_prior, rates
from tools.measurements.follow_up.world import Clip, World, draw_sessions
from turbo_stream.cli.command import run_command
from turbo_stream.deciding.follow_up import FollowUp
from turbo_stream.detection.follow_up_prior import FollowUpPrior

TALK = World(follow_up_share=0.6, chat_share=0.0)


@pytest.fixture(scope="module")
def clips():
    """A classifier that errs on some 16 % of either class."""
    rng = np.random.default_rng(0)
    return [Clip(d, float(rng.normal(1 if d else -1)), 1.5) for d in (True, False) * 300]


def test_sessions_are_in_order_and_nobody_talks_over_another(clips):
    sessions = draw_sessions(clips, TALK, count=50, seed=0)
    together = sessions.session[1:] == sessions.session[:-1]
    assert (sessions.start_s[1:] > sessions.end_s[:-1])[together].all()
    first = ~sessions.later
    assert first.sum() == 50 and sessions.directed[first].all()
    assert (sessions.start_s[first] == 0).all()


def test_a_prior_is_found_where_follow_ups_come_soon_and_not_where_nobody_follows_up(clips):
    sessions = draw_sessions(clips, TALK, count=300, seed=1)
    prior = fit_prior(sessions)
    assert prior.log_odds > 0.5
    plain, shifted = rates(sessions, None, 0.0), rates(sessions, prior, 0.0)
    assert shifted[1] < plain[1] and shifted[0] > plain[0]
    others = draw_sessions(clips, TALK, count=300, seed=2)
    assert false_rejects_at(others, prior, 0.05) < false_rejects_at(others, None, 0.05)
    alone = draw_sessions(clips, replace(TALK, follow_up_share=0.0), count=300, seed=3)
    assert fit_prior(alone).log_odds < 0.05


def test_decisions_are_those_of_the_product(clips):
    """The loop of the judge against the state of the pipeline."""
    from turbo_stream._util.timebase import to_samples
    from turbo_stream.events import Utterance
    from turbo_stream.segmentation.segment import Segment

    sessions = draw_sessions(clips, TALK, count=20, seed=4)
    prior = FollowUpPrior(1.5, 8.0)
    state, wanted = FollowUp(prior), []
    for index, later in enumerate(sessions.later):
        if not later:
            state.reset()
        start, end = sessions.start_s[index], sessions.end_s[index]
        ends = to_samples(end)
        segment = Segment(index, to_samples(start), ends, ends, np.zeros(0, np.int16))
        accepted = sessions.logit[index] + state.log_odds(segment) >= 0
        decision = "accepted" if accepted else "rejected"
        state.note(
            Utterance(index, start, end, decision, None, (), 0.5, 0.5, None, {"backend": "none"})
        )
        wanted.append(accepted)
    assert (decide(sessions, prior, 0.0) == wanted).all()


def test_the_command_writes_figures_and_a_picture(clips, tmp_path):
    rows = [
        {
            "audio_filepath": f"{index}.wav",
            "label": "directed" if clip.directed else "not_directed",
            "speaker": f"s{index % 20}",
            "directed_probability": float(1 / (1 + np.exp(-clip.logit))),
            "audio_s": clip.duration_s,
        }
        for index, clip in enumerate(clips)
    ]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    assert run_command(main, [str(path), "--out", str(out), "--count", "30"]) == 0
    report = json.loads((out / "follow_up.json").read_text())
    assert report["priors"]["none"] is None and report["clips"]["dev"] > 0
    assert len(report["worlds"]) == 15
    nobody = next(world for world in report["worlds"] if world["follow_up_share"] == 0)
    assert nobody["default"]["false_reject"] is None
    assert (out / "follow_up.png").read_bytes().startswith(b"\x89PNG")


def test_predictions_of_one_class_are_bad_input(tmp_path, capsys):
    row = {"audio_filepath": "a.wav", "label": "directed", "directed_probability": 0.7}
    path = tmp_path / "predictions.jsonl"
    path.write_text(json.dumps({**row, "audio_s": 1.0}) + "\n")
    assert run_command(main, [str(path), "--out", str(tmp_path / "out")]) == 2
    assert "lacks a class" in capsys.readouterr().err
