"""`turbo-bench turbo`: every length, with and without text, at each number of threads."""

import json
from pathlib import Path

import pytest

from tests.support.tiny_package import write_package
from turbo_stream.benchmark.report import show
from turbo_stream.benchmark.turbo import benchmark_turbo, turbo_plot


@pytest.fixture(scope="module")
def found() -> dict:
    return benchmark_turbo(None, seconds=(0.5, 4.0), threads=(1, 2), runs=3)


def test_each_kind_of_run_is_timed(found: dict) -> None:
    kinds = [(row["threads"], row["text"], row["sound_s"]) for row in found["runs"]]
    expected = [
        (threads, text, seconds)
        for threads in (1, 2)
        for text in (True, False)
        for seconds in (0.5, 4.0)
    ]
    assert kinds == expected
    for row in found["runs"]:
        assert row["ms"]["n"] == 3
        assert 0 < row["ms"]["p50"] <= row["ms"]["p95"] <= row["ms"]["max"]
        assert row["cpu_ms"] > 0 and 1000 / row["ms"]["max"] <= row["runs_per_s"]
    cpu = {(row["text"], row["sound_s"]): row["cpu_ms"] for row in found["runs"]}
    assert cpu[True, 4.0] > cpu[True, 0.5], "eight times the sound is more work"
    assert found["load_ms"] > 0 and found["model"]["name"] == "turbo-rej-en"
    assert list(found["resident_mb"]) == ["before", "loaded", "after_runs"]


def test_any_package_can_be_timed_and_shown(tmp_path: Path, capsys) -> None:
    package = write_package(tmp_path / "tiny")
    found = benchmark_turbo(str(package), seconds=(1.0,), threads=(1,), runs=1)
    assert found["model"] == {"name": "tiny", "version": "1.0"} and len(found["runs"]) == 2
    show("turbo", found, as_json=True)
    assert json.loads(capsys.readouterr().out) == found
    show("turbo", found, as_json=False)
    assert "load_ms" in capsys.readouterr().out


def test_picture(found: dict) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'turbo-listen[eval]'")
    assert turbo_plot(found).startswith(b"\x89PNG")
