"""How many instructions segmentation, Turbo and Whisper take, and what that means for a board.

python -m tools.measurements.instructions [--asr WHISPER] [--arm-root DIR --arm-packages DIR]

Counted under valgrind on this processor, and under QEMU on the processors of the Raspberry Pi 4
and 5 if an ARM system is given (docs/lab/devices.md says how to get one). Times on a board are
estimates from these counts; nothing here has run on one.
"""

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tools.measurements.instructions.counters import (
    BOARDS,
    ArmSystem,
    CountingError,
    count_here,
    count_on_arm,
    run_plainly,
)
from turbo_stream.benchmark.machine import machine
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("tools.measurements.instructions", help=__doc__)
@click.option("--asr", help="Folder of a CTranslate2 Whisper.  [default: none]")
@click.option("--arm-root", type=_FOLDER, help="Unpacked Debian packages of an arm64 Python 3.11.")
@click.option("--arm-packages", type=_FOLDER, help="Folder with wheels for aarch64.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(asr: str | None, arm_root: Path | None, arm_packages: Path | None, as_json: bool) -> None:
    """Count."""
    if (arm_root is None) != (arm_packages is None):
        raise click.UsageError("--arm-root and --arm-packages belong together: give both")
    say = Console(stderr=True).print
    say("running plainly")
    steps = run_plainly(asr)
    found: dict[str, Any] = {"machine": machine(), "not_run": {}, "steps": steps}
    say("counting under valgrind")
    try:
        for step, count in zip(steps, count_here(asr), strict=True):
            step["instructions_x86"] = count / step["per"]
    except CountingError as error:
        found["not_run"]["x86"] = str(error)
    arm = ArmSystem(arm_root, arm_packages) if arm_root and arm_packages else None
    for board in BOARDS:
        if arm is None:
            break
        say(f"counting under QEMU on {board.cpu}")
        try:
            counts = count_on_arm(arm, board.cpu, asr)
            for step, count in zip(steps, counts, strict=True):
                instructions = count / step["per"]
                step[board.cpu] = {
                    "instructions": instructions,
                    f"estimated_ms_{board.name}": board.estimate_ms(instructions),
                }
        except CountingError as error:
            found["not_run"][board.cpu] = str(error)
    if as_json:
        show("", found, as_json=True)
        return
    Console().print(_table(steps))
    for what, why in found["not_run"].items():
        say(f"{what} not counted: {why}", markup=False, soft_wrap=True)


def _table(steps: list[dict[str, Any]]) -> Table:
    table = Table("step (millions of instructions)", "here, CPU ms", "x86, AVX2")
    for board in BOARDS:
        table.add_column(board.cpu)
        table.add_column(f"{board.name}, estimate, ms")
    for step in steps:
        row = [step["name"], f"{step['cpu_ms']:.2f}", _millions(step.get("instructions_x86"))]
        for board in BOARDS:
            counted = step.get(board.cpu, {})
            row.append(_millions(counted.get("instructions")))
            estimate = counted.get(f"estimated_ms_{board.name}")
            row.append("" if estimate is None else "{:.3g} to {:.3g}".format(*estimate))
        table.add_row(*row)
    return table


def _millions(count: float | None) -> str:
    return "" if count is None else f"{count / 1e6:.4g}"


if __name__ == "__main__":
    sys.exit(run_command(main))
