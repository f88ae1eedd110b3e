"""A folder of results has one run at a time, and no run leaves workers behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LAST_S = 15.0
"""Seconds in which workers end; far more than they take."""


def command(corpus: Path, package: Path, out: Path, *more: str) -> list[str]:
    arguments = [str(corpus), "--out", str(out), "--model", str(package), "--text", "gold", *more]
    return [sys.executable, "-m", "turbo_stream.cli.evaluate", *arguments]


@pytest.fixture
def endless(corpus: Path, tmp_path: Path) -> Path:
    """A manifest that takes far longer than a test."""
    rows = [json.loads(line) for line in corpus.read_text("utf-8").splitlines()]
    for row in rows:
        row["audio_filepath"] = str(corpus.parent / row["audio_filepath"])
    path = tmp_path / "endless.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows * 3000), "utf-8")
    return path


def wait_for_rows(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = one.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == pid:
            child = int(one.parent.name)
            found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_a_second_run_ends_in_one_line_and_a_killed_one_holds_nobody_up(
    corpus, endless, tiny_package, tmp_path
) -> None:
    out = tmp_path / "out"
    first = subprocess.Popen(
        command(endless, tiny_package, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_rows(out / "progress.jsonl", 3)
        before = (out / "progress.jsonl").read_bytes()
        for arguments in ((endless,), (corpus,)):
            second = subprocess.run(
                command(*arguments, tiny_package, out), capture_output=True, text=True, timeout=60
            )
            assert second.returncode == 2
            assert f"--out {out} is in use by process {first.pid} on " in second.stderr
            assert "give another folder" in second.stderr and second.stderr.count("\n") == 1
        assert (out / "progress.jsonl").read_bytes().startswith(before)
    finally:
        first.kill()
        first.wait()
    resumed = subprocess.run(
        command(corpus, tiny_package, out), capture_output=True, text=True, timeout=60
    )
    assert "holds a run of another manifest" in resumed.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")
def test_no_worker_outlives_a_killed_run(endless, tiny_package, tmp_path) -> None:
    out = tmp_path / "out"
    run = subprocess.Popen(
        command(endless, tiny_package, out, "--workers", "3"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_rows(out / "progress.jsonl", 3)
    workers = descendants(run.pid)
    assert len(workers) > 2
    run.kill()
    run.wait()
    deadline = time.monotonic() + LAST_S
    try:
        while any(map(alive, workers)):
            assert time.monotonic() < deadline, f"{sum(map(alive, workers))} go on"
            time.sleep(0.05)
    finally:
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)


_WORKERS = """
import multiprocessing, sys, time
from concurrent.futures import ProcessPoolExecutor
from turbo_stream._util.worker import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    pool = ProcessPoolExecutor(3, context, end_with_parent)
    futures = [pool.submit(time.sleep, 0.3) for _ in range(3)]
    for future in futures:
        future.result()
    print(*pool._processes, flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_end_with_their_parent_however_they_were_started(tmp_path, method) -> None:
    script = tmp_path / "workers.py"
    script.write_text(_WORKERS)
    parent = subprocess.Popen(
        [sys.executable, str(script), method], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert len(workers) == 3 and all(map(alive, workers))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + LAST_S
    try:
        while any(map(alive, workers)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)
