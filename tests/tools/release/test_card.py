"""The shipped model's card, written anew from what its package says and what a judge measured."""

import json

import pytest

pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")

from dataclasses import asdict

from tests.support.tiny_network import TINY
from tests.support.tiny_package import tiny_graph, write_package
from tools.release.__main__ import main
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import ModelPackage

LIMITED = "false_accept_at_false_reject_0.05"
PARITY = {
    "items": 9,
    "on": "recordings",
    "pytorch_fp32_max_logit_difference": 1e-6,
    "fp32_int8_max_logit_difference": 0.25,
    "fp32_int8_mean_probability_shift": 0.008,
    "decisions_flipped": 0.02,
    "latency_ms_one_thread": {"3s": {"p50": 7.25, "p95": 8.0}},
    "int8_bytes": 15_500_000,
}


def figure(eer: float) -> dict:
    return {"n": 123, "eer": eer, LIMITED: 0.5, "ci95": {"eer": [eer / 2, 0.4], LIMITED: None}}


def judgement(name: str = "turbo-rej-en 1.0") -> dict:
    """What tools.judge writes, as far as the card reads it."""
    modes = {"probe": 0.112, "audio": 0.222, "text": 0.333, "fused": 0.044}
    figures = {mode: figure(eer) for mode, eer in modes.items()}
    accepted = {told: {"accepted": 0.777} for told in ("own", "none", "other")}
    rate = {"false_accept": 0.061, "false_reject": 0.062}
    point = {"threshold": 0.5, "promised": rate, "measured": {**rate, "false_accept": 0.083}}
    pair = {
        "directed": "calls",
        "not_directed": "talk",
        "met": [],
        "chose": ["talk"],
        "recorded": figures,
    }
    return {
        "run": {"packages": [{"name": name}]},
        "pairs": [{**pair, "channel": None, "alike": None}],
        "called_or_mentioned": {"recut_test": {**figures, "met": 3, "chose": 0}},
        "conditions": {
            "rows": {"noise, 5 dB": {"clean": figure(0.154), "under": figure(0.166)}, "none": None}
        },
        "short": {"words": 2, "short": figure(0.28), "longer": figure(0.07)},
        "names": {"fused": {"rows": {"called": {"n": 7, **accepted}}}},
        "calibration": {
            "recorded": {"figures": {"ece": 0.0234}, "operating_points": {"balanced": point}}
        },
    }


@pytest.fixture
def package(tmp_path):
    graph = onnx.load_model_from_string(tiny_graph())
    onnx.helper.set_model_props(graph, {"turbo.network": json.dumps(asdict(TINY))})
    figures = {mode: {"n": 55, "eer": 0.131} for mode in ("fused", "audio", "text")}
    collection = {
        "collection": "festival",
        "kind": "synthetic",
        "rows": {"not_directed": 11, "directed": 12},
        "source": None,
        "license": "voice: BSD",
    }
    return write_package(
        tmp_path / "package",
        graph=graph.SerializeToString(),
        name="turbo-rej-en",
        training={"data": [collection]},
        metrics={"development": figures, "parity": PARITY},
    )


def written(path, value):
    path.write_text(json.dumps(value))
    return str(path)


def test_figures_stand_on_the_card_with_their_intervals(package, tmp_path):
    report = written(tmp_path / "judgement.json", judgement())
    parity = written(tmp_path / "parity.json", {**PARITY, "items": 321})
    assert run_command(main, [str(package), "--judgement", report, "--parity", parity]) == 0
    card = (package / "README.md").read_text("utf-8")
    assert "| calls × talk | as recorded | 123 | talk (chose) | 11.2 % (5.6–40.0) |" in card
    assert "4.4 % (2.2–40.0) | 50.0 % |" in card
    assert "| test callers | 123 | 3 | 11.2 %" in card
    assert "| noise, 5 dB | 15.4 % (7.7–40.0) | 16.6 % (8.3–40.0) |" in card
    assert "| called | 7 | 77.7 % | 77.7 % | 77.7 % |" in card
    assert "2.3 % as recorded" in card and "| 6.1 % | 8.3 % | 6.2 % | 6.2 % |" in card
    assert "On 321 items (recordings)" in card
    assert "Synthetic speech is by festival" in card and "voice: BSD" in card
    for word in ("Intended use", "Accents", "Children", "Distance", "docs/guide/train-your-own.md"):
        assert word in card
    ModelPackage.load(package)  # its hash is right


def test_the_shipped_package_gets_its_licence_and_the_sources_of_its_texts(tmp_path, package):
    manifest = json.loads((package / "turbo.json").read_text())
    rows = {"not_directed": 1, "directed": 2}
    lines = {"collection": "hwu64", "kind": "text", "rows": rows, "source": None, "license": None}
    manifest["training"] = {"license": "not stated", "data": [lines]}
    (package / "turbo.json").write_text(json.dumps(manifest))
    assert run_command(main, [str(package)]) == 0
    training = ModelPackage.load(package).training
    assert training["license"] == "CC-BY-SA-4.0"
    assert training["data"][0]["source"] == "xliuhw/NLU-Evaluation-Data"
    card = (package / "README.md").read_text("utf-8")
    assert card.startswith("---\nlicense: cc-by-sa-4.0")
    assert "| hwu64 | text | 1 | 2 | CC-BY-4.0 |" in card


def test_the_card_tells_the_mean_over_seeds_and_each_of_them(package, tmp_path):
    mode = {"eer": 0.25, "eer_ci95": [0.2, 0.3], "eer_by_seed": [0.21, 0.22, 0.32]}
    pair = {"n": 77, "text": mode, "audio": {**mode, "eer": 0.4}, "fused": mode}
    found = {"how": "trained in a minute", "seeds": 3, "pairs": {"calls × talk": pair}}
    report = written(tmp_path / "seeds.json", found)
    assert run_command(main, [str(package), "--seeds", report]) == 0
    card = (package / "README.md").read_text("utf-8")
    row = "| calls × talk | 77 | 40.0 % | 25.0 % | 25.0 % (20.0 % to 30.0 %) | 21.0, 22.0, 32.0 |"
    assert row in card and "means of 3 seeds" in card and "trained in a minute" in card
    judged = written(tmp_path / "judgement.json", judgement())
    assert run_command(main, [str(package), "--seeds", report, "--judgement", judged]) == 0
    both = (package / "README.md").read_text("utf-8")
    assert row in both and "| calls × talk | as recorded | 123 |" in both


def test_without_a_judgement_the_card_says_so(package):
    assert run_command(main, [str(package)]) == 0
    assert "Not measured: judge it with `tools.judge`" in (package / "README.md").read_text()


def test_figures_of_another_model_are_refused(package, tmp_path, capsys):
    before = (package / "README.md").read_bytes()
    report = written(tmp_path / "judgement.json", judgement("turbo-rej-en 0.9"))
    assert run_command(main, [str(package), "--judgement", report]) == 2
    assert "the report is of turbo-rej-en 0.9" in capsys.readouterr().err
    assert (package / "README.md").read_bytes() == before


def test_the_card_of_a_users_model_is_not_ours_to_write(tmp_path, capsys):
    package = write_package(tmp_path / "package")
    assert run_command(main, [str(package)]) == 2
    assert "this writes the card of turbo-rej-en only" in capsys.readouterr().err
