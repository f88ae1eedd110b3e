"""What listening and serving cost, measured in little, and the tables of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_package import write_package
from tools.measurements.cost.tables import main
from turbo_stream.benchmark.listen.benchmark import ListenSettings, benchmark_listen
from turbo_stream.benchmark.turbo import benchmark_turbo
from turbo_stream.settings import Settings


@pytest.mark.slow
@pytest.mark.audio_server
def test_a_silent_microphone_is_listened_to_and_left_with_status_0(sound_server) -> None:
    command = [sys.executable, "-m", "tools.measurements.cost.idle", "--seconds", "1.5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["exit_status"] == 0
    assert found["capture_alone_cpu_share"] > 0 and found["cpu_share"] > 0


@pytest.mark.slow
def test_memory_is_noted_while_the_shell_listens(tmp_path) -> None:
    plot = tmp_path / "memory.png"
    command = [sys.executable, "-m", "tools.measurements.cost.memory", "--asr", "none", "--json"]
    command += ["--minutes", "1", "--speed", "40", "--plot", str(plot)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["utterances"] >= 14
    held = found["resident_mb"]
    assert held["start"] > 20 and held["end"] <= held["peak"] < 1000
    assert abs(found["growth_mb_per_hour"]) < 10_000
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_no_client_is_lost() -> None:
    command = [sys.executable, "-m", "tools.measurements.cost.serving"]
    command += ["--clients", "8", "--seconds", "4", "--", "--asr", "tests/assets/whisper-kitchen"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lost"] == found["lost_samples"] == found["exit_status"] == 0
    assert found["clients"] == 8 and found["utterances"] >= 8
    assert sum(found["decisions"].values()) == found["utterances"]
    assert found["threads"]["after"] < found["threads"]["most"], "streams leave threads behind"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(write_package(tmp_path_factory.mktemp("package") / "tiny"))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_column_for_each_result_and_a_table_for_the_classifier(tmp_path: Path, model) -> None:
    settings = ListenSettings(
        realtime_s=0, full_speed_s=6, quiet_s=0, live_quiet_s=0, talk_s=6, starts=0
    )
    listened = benchmark_listen([KITCHEN], settings, Settings(model, asr="none"), flags=[])
    timed = benchmark_turbo(model, seconds=(1.0, 2.0), threads=(1,), runs=2)
    paths = [tmp_path / "a.json", tmp_path / "b.json", tmp_path / "turbo.json"]
    for path, found in zip(paths, (listened, listened, timed), strict=True):
        path.write_text(json.dumps(found), "utf-8")
    done = CliRunner().invoke(main, [str(path) for path in paths], catch_exceptions=False)
    listen, turbo = done.output.strip().split("\n\n")[:2]
    rows = {row[0]: row[1:] for row in map(cells, listen.splitlines())}
    assert rows["p50 / p95 / p99"] == ["none, kitchen.flac"] * 2
    assert rows["**response, real time**, ms"] == ["-", "-"], "not measured"
    share = listened["conversation"]["cpu_share"]
    assert rows["conversation, share of a core"] == [f"{share:.1%}"] * 2
    work = listened["full_speed"]["work_ms"]["p50"]
    found = rows["work at full speed, nothing ahead, ms"][0].split(" / ")[0]
    assert float(found) == pytest.approx(work, abs=0.51)
    timed_rows = [cells(line) for line in turbo.splitlines()]
    assert timed_rows[0] == ["p50 / p95 ms", "1 s", "2 s"]
    assert [row[0] for row in timed_rows[2:]] == [
        "1 thread, with text", "processor time", "1 thread, without text", "processor time",
    ]  # fmt: skip
    assert f"{timed['runs'][0]['ms']['p50']:.1f}" in timed_rows[2][1]
