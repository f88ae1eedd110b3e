"""Instructions of a program, counted on this processor and on an emulated ARM, and the boards."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]

_STEPS = "tools.measurements.instructions.steps"

PLAIN_RUNS = 5

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class CountingError(RuntimeError):
    """Something that counts is not here or failed; the message says what in one line."""


@dataclass(frozen=True)
class ArmSystem:
    """An ARM Linux in folders of this machine, to be emulated."""

    root: Path
    """Unpacked Debian packages of `arm64`: Python 3.11 and what it needs."""

    packages: Path
    """Where the wheels for aarch64 were installed."""


@dataclass(frozen=True)
class Board:
    """A small computer, as far as the estimate knows it."""

    name: str
    cpu: str
    """QEMU's name of its processor."""

    clock_ghz: float

    instructions_per_cycle: tuple[float, float]
    """Assumed, from a poor to a good case. Dense INT8 loops reach the good one; what waits for
    memory, such as a decoder that reads all its weights for each token, the poor one."""

    def estimate_ms(self, instructions: float) -> tuple[float, float]:
        """Return from how many to how many milliseconds `instructions` may take on one core."""
        poor, good = self.instructions_per_cycle
        rate = self.clock_ghz * 1e6
        return instructions / (good * rate), instructions / (poor * rate)


BOARDS = (
    Board("Raspberry Pi 4", "cortex-a72", 1.8, (0.6, 1.5)),
    Board("Raspberry Pi 5", "cortex-a76", 2.4, (1.0, 2.5)),
)


def run_plainly(whisper: str | None) -> list[dict[str, Any]]:
    """Return the steps with the processor time they take here, uncounted."""
    return _listed(_run([sys.executable, "-m", *_given(PLAIN_RUNS, whisper)]))


def count_here(whisper: str | None) -> list[int]:
    """Return the instructions of each step on this processor, by valgrind's callgrind.

    Valgrind knows no AVX-512: libraries that ask the processor take their AVX2 kernels.

    Raises:
        CountingError: there is no valgrind, or the steps fail under it.
    """
    return between_marks([sys.executable, "-m", *_given(1, whisper)])


def between_marks(command: list[str]) -> list[int]:
    """Return the instructions of `command` from each odd call of `getppid` to the even one after.

    Raises:
        CountingError: there is no valgrind, or the command fails under it.
    """
    _need("valgrind", "valgrind")
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder, "counted")
        valgrind = ["valgrind", "--tool=callgrind", "--dump-before=getppid"]
        _run([*valgrind, f"--callgrind-out-file={dump}", *command])
        # A dump at each mark, with what was done since the mark before, and one at the end.
        marks = len(list(Path(folder).iterdir())) - 1
        return [_total(Path(f"{dump}.{at}")) for at in range(2, marks + 1, 2)]


def count_on_arm(system: ArmSystem, cpu: str, whisper: str | None) -> list[int]:
    """Return the instructions of each step on an emulated 64-bit ARM `cpu`, by QEMU.

    Raises:
        CountingError: QEMU or a compiler is missing, or the steps fail there.
    """
    _need("qemu-aarch64", "qemu-user")
    _need("gcc", "gcc")
    variables = {
        **_ONE_THREAD,
        "PYTHONHOME": str(system.root / "usr"),
        "PYTHONPATH": f"{_ROOT}:{system.packages}",
    }
    python = str(system.root / "usr" / "bin" / "python3.11")
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder, "count.so")
        source = Path(__file__).with_name("count.c")
        _run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(source)])
        command = ["qemu-aarch64", "-cpu", cpu, "-plugin", str(plugin), "-L", str(system.root)]
        for name, value in variables.items():
            command += ["-E", f"{name}={value}"]
        done = _run([*command, python, "-m", *_given(1, whisper)])
    return [int(found) for found in re.findall(r"^instructions (\d+)$", done.stderr, re.M)][1::2]


def _need(tool: str, package: str) -> None:
    if shutil.which(tool) is None:
        raise CountingError(f"{tool} is not installed: apt-get install {package}")


def _given(runs: int, whisper: str | None) -> list[str]:
    return [_STEPS, str(runs)] + ([] if whisper is None else [str(Path(whisper).resolve())])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    env = os.environ | _ONE_THREAD
    done = subprocess.run(command, cwd=_ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        # Valgrind's own lines begin with its mark and the number of the process.
        said = [line for line in done.stderr.splitlines() if line and not line.startswith("==")]
        last = (said or ["no message"])[-1]
        raise CountingError(f"{command[0]} ended with status {done.returncode}: {last}")
    return done


def _listed(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return json.loads(done.stdout.strip().splitlines()[-1])


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    if found is None:
        raise CountingError(f"callgrind wrote no total into {dump.name}")
    return int(found[1])
