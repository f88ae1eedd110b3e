import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.made_judgement import write_collections
from tests.support.tiny_package import write_package
from tools.judge.__main__ import main
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier

pytestmark = pytest.mark.slow


def trained_on(*collections: str) -> dict:
    return {"training": {"data": [{"collection": one, "kind": "recorded"} for one in collections]}}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("judged")
    manifest = write_collections(folder)
    shipped = write_package(folder / "shipped", **trained_on("calls", "chat", "orders"))
    without = write_package(folder / "without", **trained_on("orders"), version="0.9")
    arguments = [str(shipped), "--recordings", str(manifest), "--out", str(folder / "out")]
    arguments += ["--held-out", f"calls,chat={without}", "--sample", "16"]
    arguments += ["--pair", "calls,chat", "--pair", "orders,film"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return folder / "out", arguments


def read(out: Path) -> dict:
    return json.loads((out / "judgement.json").read_text())


def test_pairs_say_who_was_asked_and_whom_it_had_met(judged: tuple[Path, list[str]]) -> None:
    pairs = read(judged[0])["pairs"]
    asked = {(pair["directed"], pair["not_directed"]): pair for pair in pairs}
    assert asked["calls", "chat"]["package"] == "tiny 0.9 without calls, chat"
    assert asked["calls", "chat"]["met"] == []
    assert asked["orders", "film"]["package"] == "tiny 1.0"
    assert asked["orders", "film"]["met"] == ["orders"]
    assert set(asked) == {("calls", "chat"), ("orders", "film")}  # of the usual ones there is none


def test_figures_follow_what_the_package_hears(judged: tuple[Path, list[str]]) -> None:
    """Quiet is directed to the tiny package: levels that a channel makes alike tell nothing."""
    pair = read(judged[0])["pairs"][-1]
    recorded, channel = pair["recorded"], pair["channel"]
    assert recorded["audio"]["eer"] == 0.0
    assert recorded["probe"]["eer"] == 0.0
    assert channel["audio"]["eer"] > 0.15
    assert recorded["text"] == channel["text"]
    assert pair["alike"]["fused"] is pair["alike"]["text"] is None  # nobody recognizes anew
    assert pair["alike"]["audio"]["n"] == 16  # of --sample
    for way in (recorded, channel):
        for mode in ("fused", "audio", "text", "probe"):
            assert way[mode]["n"] == 20
            assert way[mode]["groups"] == 10
            assert set(way[mode]["ci95"]) >= {"eer", "false_accept_at_false_reject_0.05"}


def test_every_part_is_there(judged: tuple[Path, list[str]]) -> None:
    out, _ = judged
    found = read(out)
    assert len(found["matrix"]["cells"]) == 4
    assert {cell["met"] for cell in found["matrix"]["cells"]} == {0, 1}
    assert list(found["conditions"]["rows"]) == [
        "far talker, 3 to 5 m",
        "noise, 5 dB",
        "empty text",
        "wrong text",
    ]
    for row in found["conditions"]["rows"].values():
        assert row["clean"]["n"] == row["under"]["n"] == 16
    assert found["short"]["short"]["n_directed"] == 10
    assert found["names"]["fused"]["rows"]["called"]["n"] == 5  # of ten, half are called friday
    assert found["calibration"]["recorded"]["operating_points"].keys() == {"balanced", "strict"}
    assert found["called_or_mentioned"] == {}
    page = (out / "judgement.md").read_text()
    for name in ("pairs", "conditions", "matrix_recorded", "reliability_channel"):
        assert f"({name}.png)" in page
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_scored_twice(
    judged: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, arguments = judged
    before = (out / "judgement.json").read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr(TurboClassifier, "probabilities", refuse)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert (out / "judgement.json").read_bytes() == before


@pytest.mark.parametrize(
    "more, said",
    [
        (["--held-out", "calls,chat"], "COLLECTION,COLLECTION=FOLDER"),
        (["--pair", "calls"], "DIRECTED,NOT_DIRECTED"),
        (["--held-out", "orders=SHIPPED"], "was trained on orders"),
    ],
)
def test_bad_input_is_told_in_a_line(
    judged: tuple[Path, list[str]], more: list[str], said: str, capsys
) -> None:
    arguments = judged[1]
    more = [part.replace("SHIPPED", arguments[0]) for part in more]
    assert run_command(main, [*arguments[:5], *more]) == 2
    said_on_stderr = capsys.readouterr().err
    assert said in said_on_stderr
    assert "Traceback" not in said_on_stderr
