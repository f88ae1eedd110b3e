"""Instructions are counted between two marks, and become time only as a range."""

import json
import subprocess
import sys

import pytest

from tests.support.needs import needs
from tests.support.paths import ROOT
from tools.measurements.instructions.counters import (
    BOARDS,
    Board,
    CountingError,
    between_marks,
    count_here,
)

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"

LOOPS = """
import os
for turns in (1000, 3000):
    numbers = range(turns)
    os.getppid()
    for _ in numbers: pass
    os.getppid()
"""


@pytest.mark.slow
@needs("valgrind")
def test_what_is_done_between_two_marks_is_counted_and_nothing_else() -> None:
    short, long = between_marks([sys.executable, "-S", "-c", LOOPS])
    assert long == pytest.approx(3 * short, rel=0.2)


def test_without_valgrind_it_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CountingError, match="apt-get install valgrind"):
        count_here(None)


def test_a_slower_clock_and_fewer_instructions_a_cycle_take_longer() -> None:
    assert Board("", "", 2.0, (0.5, 2.0)).estimate_ms(8e6) == pytest.approx((2.0, 8.0))
    old, new = (board.estimate_ms(1e9) for board in BOARDS)
    assert old[0] > new[0] and old[1] > new[1]


@pytest.mark.slow
def test_every_step_runs_and_is_named() -> None:
    command = [sys.executable, "-m", "tools.measurements.instructions.steps", "1", str(WHISPER)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    names = [step["name"] for step in steps]
    assert len(set(names)) == len(names)
    for part in ("quiet room", "of speech", "Turbo on 2 s", "log-mel", "encoder"):
        assert any(part in name for name in names), part
    assert all(step["cpu_ms"] > 0 for step in steps)
