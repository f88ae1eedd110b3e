"""A run gets an end-of-turn head, and its package can say whether a speaker has finished."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from click.testing import CliRunner

from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_corpus import write_lines, write_start
from training.data.manifest import read_manifest
from training.end_of_turn.__main__ import _pauses_of, hear, main
from training.end_of_turn.turn_head import HeadConfig, Heard, fit_head, head_logits, pause_figures
from training.end_of_turn.windows import window_rows
from training.fitting.checkpoint import load_model, write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.audio_input import WaveformInput


def heard(count, seed):
    """Ends and the rest, told apart by one of 8 x 4 numbers."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        kind = ("end", "pause", "break")[index % 3]
        windows = rng.normal(0.0, 1.0, 32)
        windows[5] += 4.0 * (kind == "end")
        found.append(Heard(windows.astype(np.float16), kind, f"c{index % 2}", str(index), False))
    return found


def test_the_head_learns_what_tells_ends():
    head = fit_head(heard(300, 0), 4, HeadConfig(hidden=8, steps=120, rate=1e-2))
    new = heard(90, 1)
    figures = pause_figures(np.array([h.kind == "end" for h in new]), head_logits(head, new))
    assert figures["auc"] > 0.9
    assert figures["found_at_15_percent_false"] > 0.7


def test_a_teacher_moves_the_targets():
    own = heard(60, 0)
    swayed = [Heard(h.windows, h.kind, h.collection, h.group, h.channel, 0.9) for h in own]
    config = HeadConfig(hidden=8, steps=60, rate=1e-2, teacher_share=1.0)
    alone, taught = (head_logits(fit_head(items, 4, config), own) for items in (own, swayed))
    assert taught.mean() > alone.mean() + 0.5


def test_figures_of_one_kind_are_undefined():
    assert pause_figures(np.ones(3, bool), np.zeros(3))["auc"] is None


@pytest.fixture
def recordings(tmp_path):
    """The first six utterances of the shipped scene, as a manifest of stretches of its file."""
    scene = json.loads((ROOT / "examples" / "kitchen.json").read_text())["segments"][:6]
    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": part["start_s"] - 0.3,
            "duration": part["end_s"] - part["start_s"] + 0.6,
            "label": part["label"],
            "set": f"c{index % 2}",
            "group": f"g{index}",
        }
        for index, part in enumerate(scene)
    ]
    return write_lines(tmp_path / "manifest.jsonl", rows)


def test_a_run_gets_a_head_and_keeps_the_rest(tiny, recordings, tmp_path):
    start = write_start(tmp_path / "start", tiny.eval())
    write_json(start / "metrics.json", {"calibration": {}})
    out = tmp_path / "out"
    arguments = [str(start), "--out", str(out), "--manifest", str(recordings), "--steps", "5"]
    result = CliRunner().invoke(main, [*arguments, "--hidden", "40", "--leave-out", "c1"])
    assert result.exit_code == 0, result.output
    model, _ = load_model(out)
    assert model.config.end_of_turn == 40
    before, after = tiny.state_dict(), model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    found = json.loads((out / "metrics.json").read_text())["end_of_turn"]
    assert found["threshold"] == 0.7
    assert {row["collection"] for row in found["data"]} == {"c0", "c1"}
    without = json.loads((out / "without-c1" / "metrics.json").read_text())["end_of_turn"]
    assert without["left_out"] == ["c1"]
    assert {row["collection"] for row in without["data"]} == {"c0"}
    assert without["unheard"]["as_recorded"]["ends"] >= 2


def test_the_head_hears_what_a_package_gives_the_network(tiny, recordings):
    """The network of a package never hears the room before the speech, so nor may the head."""
    rows = [
        replace(row, synthetic=True) for row in read_manifest(recordings, tiny.config.labels, {})
    ]
    heard = list(hear(tiny, rows, None, breaks=1))
    pauses = [pause for row in rows for pause in _pauses_of(row, 1, frozenset())]
    sound = WaveformInput(tiny.config.max_samples, cut_to_speech=True)
    given = [sound.feed(np.round(one.wave * 32_768).astype(np.int16), None) for one in pauses]
    windows = window_rows(tiny, [one["waveform"][0, : one["waveform_length"][0]] for one in given])
    assert len(heard) == len(pauses) > 6
    apart = [np.abs(one.windows - row).max() for one, row in zip(heard, windows, strict=True)]
    assert max(apart) < 0.02
    uncut = window_rows(tiny, [one.wave for one in pauses])
    assert np.abs(uncut - windows).max() > 0.1


def test_what_is_no_run_is_bad_use(recordings, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    arguments = ["--out", str(tmp_path / "out"), "--manifest", str(recordings)]
    assert run_command(main, [str(tmp_path / "empty"), *arguments]) == 2
    assert "holds no finished training run" in capsys.readouterr().err
