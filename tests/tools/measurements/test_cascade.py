"""A cascade's curve: what is saved, what is lost, and the threshold that follows."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tests.support.made_judgement import write_collections
from tests.support.tiny_package import write_package
from tools.measurements.cascade.__main__ import main
from tools.measurements.cascade.trial import Trial, choose
from turbo_stream.cli.command import run_command

pytestmark = pytest.mark.slow


def trial(sound, fused, directed, seconds=None) -> Trial:
    return Trial(
        name="made",
        package="tiny",
        threshold=0.5,
        points={"balanced": 0.5, "fr1": 0.1},
        directed=np.array(directed, bool),
        seconds=np.ones(len(sound)) if seconds is None else np.array(seconds),
        groups=np.arange(len(sound)),
        sound=np.array(sound),
        fused=np.array(fused),
    )


def test_shares_count_what_no_text_is_made_of():
    found = trial(
        sound=[0.05, 0.9, 0.05, 0.9, 0.05, 0.9],
        fused=[0.9, 0.9, 0.2, 0.9, 0.9, 0.1],
        directed=[1, 1, 1, 0, 0, 0],
        seconds=[1, 1, 2, 4, 1, 1],
    ).at(0.1)
    assert found["saved"] == 0.5
    assert found["saved_of_directed"] == pytest.approx(2 / 3)
    assert found["saved_of_not_directed"] == pytest.approx(1 / 3)
    assert found["saved_seconds"] == 0.4
    assert found["lost"] == 0.5  # of the two that the fused decision accepts
    assert found["lost_at"] == {"balanced": 0.5, "fr1": pytest.approx(2 / 3)}
    assert found["spared"] == 0.5
    assert (found["false_accept"], found["false_reject"]) == (1 / 3, 2 / 3)
    assert found["cost"] == pytest.approx(0.0)  # one directed lost, one false accept spared


def test_a_threshold_of_nothing_changes_nothing():
    found = trial([0.0, 0.4, 0.6, 0.0], [0.7, 0.2, 0.8, 0.1], [1, 1, 0, 0]).at(0.0)
    assert found["saved"] == found["lost"] == found["spared"] == found["cost"] == 0.0


def test_the_rule_stops_before_the_first_loss_on_any_set():
    rng = np.random.default_rng(0)
    directed = [True] * 50 + [False] * 50
    fused = np.array([0.9] * 50 + [0.1] * 50)
    sure = trial(np.r_[np.full(50, 0.8), rng.uniform(0, 0.3, 50)], fused, directed)
    one_low = np.r_[0.255, np.full(49, 0.8), rng.uniform(0, 0.3, 50)]
    unsure = trial(one_low, fused, directed)
    assert choose([sure]) == 0.49  # never above what the package accepts from
    assert choose([sure, unsure]) == choose([unsure]) == 0.25


def test_intervals_hold_the_share():
    rng = np.random.default_rng(1)
    directed = np.arange(200) % 2 == 0
    one = trial(rng.uniform(0, 1, 200), np.where(directed, 0.9, 0.1), directed)
    found, ends = one.at(0.2), one.intervals_at(0.2)
    for name in ("lost", "saved_of_not_directed"):
        low, high = ends[name]
        assert low < found[name] < high


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cascade")
    manifest = write_collections(folder, each=6)
    data = [{"collection": "orders", "kind": "recorded"}]
    package = write_package(folder / "package", training={"data": data})
    arguments = ["--recordings", str(manifest), "--held-out", f"calls,chat={package}"]
    assert run_command(main, [*arguments, "--out", str(folder / "out")]) == 0
    return arguments, folder / "out"


def test_the_command_writes_curve_table_and_picture(measured):
    _, out = measured
    report = json.loads((out / "cascade.json").read_text())
    recorded, channel = report["sets"]
    assert (recorded["name"], recorded["n"]) == ("calls x chat, recorded", 12)
    assert channel["name"].endswith("channel")
    assert recorded["curve"][0]["saved"] == 0.0
    saved = [row["saved"] for row in recorded["curve"]]
    assert saved == sorted(saved)
    assert report["sound_reject"] in [row["reject_below"] for row in recorded["curve"]]
    assert (out / "cascade.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "cascade.md").read_text()
    assert report["rule"] in page and "calls x chat, channel" in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--held-out", "calls=PACKAGE"], "two collections"),
        (["--held-out", "chat,calls=PACKAGE"], "no directed row of set 'chat'"),
        (["--held-out", "orders,film=PACKAGE"], "was trained on orders"),
        (["--tested", "nowhere=PACKAGE"], "MANIFEST=PACKAGE"),
        (["--tested", "MANIFEST=PACKAGE"], "no `test` fold"),
    ],
)
def test_bad_input_is_told_in_a_line(measured, tmp_path, capsys, more, said):
    arguments, _ = measured
    manifest, package = arguments[1], arguments[3].partition("=")[2]
    more = [part.replace("PACKAGE", package).replace("MANIFEST", manifest) for part in more]
    assert run_command(main, ["--recordings", manifest, *more, "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
