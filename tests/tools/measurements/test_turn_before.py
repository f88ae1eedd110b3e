"""A turn of the device before recordings of a pair: whose verdict it moves, and whose not."""

import json

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tests.support.made_judgement import recording, write_collections
from tests.support.tiny_package import write_marked_package, write_package
from tools.measurements.turn_before.recordings import TURNS, main, turn_of
from turbo_stream.cli.command import run_command

pytestmark = pytest.mark.slow


def test_the_turn_is_drawn_by_the_recording_and_not_by_its_class() -> None:
    many = [recording(f"{n}") for n in range(200)]
    assert {turn_of(one) for one in many} == set(TURNS)
    others = [recording(f"{n}", directed=False, collection="chat") for n in range(200)]
    assert list(map(turn_of, many)) == list(map(turn_of, others))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("turns")
    manifest = write_collections(folder)
    point = {"threshold": 0.4, "false_accept": 0.1, "false_reject": 0.1}
    changes = {"training": {"data": []}, "threshold": 0.4, "operating_points": {"balanced": point}}
    deaf, reads = (
        write_marked_package(folder / kind, text_input=kind, **changes)
        for kind in ("names", "marked")
    )
    found = {
        kind: [str(manifest), "--held-out", f"calls,chat={package}"]
        for kind, package in (("names", deaf), ("marked", reads))
    }
    return found


def _figures(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert run_command(main, arguments) == 0
    captured = capsys.readouterr()
    assert "the device has" in captured.err
    return json.loads(captured.out)["calls × chat"]


def test_a_package_that_reads_no_turn_is_not_moved(said, capsys) -> None:
    found = _figures(said["names"], capsys)
    assert all(row == found["none"] for row in found.values())


def test_a_turn_before_one_class_moves_that_class_alone(said, capsys) -> None:
    """The tiny package takes the more for other speech, the more words it reads."""
    found = _figures(said["marked"], capsys)
    none, both, own, other = found.values()
    assert none["n"] == 20 and none["n_directed"] == 10
    assert (none["auc"], own["auc"], other["auc"]) == (1.0, 0.0, 1.0)
    rates = [(row["false_accept"], row["false_reject"]) for row in found.values()]
    assert rates == [(0, 0), (0, 1), (0, 1), (0, 0)]
    assert 0.5 < both["auc"] <= 1.0  # what is said decides, for the device spoke before either


def test_a_package_that_knows_the_pair_is_refused(tmp_path, capsys) -> None:
    manifest = write_collections(tmp_path)
    package = write_package(
        tmp_path / "package", training={"data": [], "chosen_by": ["chat"]}, version="1"
    )
    assert run_command(main, [str(manifest), "--held-out", f"calls,chat={package}"]) == 2
    assert "was chosen by chat" in capsys.readouterr().err
