"""Command line: `python -m tools.release.check_wheels`.

Says whether pip finds a wheel of all that turbo_stream needs on Raspberry Pi OS. Asks the package
index with pip, as that machine would, and installs nothing. Needs the network.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

_OLDEST_GLIBC = 17
_NO_MATCH = re.compile(r"No matching distribution found for (\S+)")
_NO_MATCH_DEEPER = re.compile(r"no matching distributions available .*?:\n((?: +\S+\n)+)", re.S)


@dataclass(frozen=True)
class System:
    """What wheels are looked for."""

    name: str
    python: str

    glibc: int
    """Its glibc is 2.`glibc`."""


SYSTEMS = (
    System("Raspberry Pi OS bookworm", "3.11", 36),
    System("Raspberry Pi OS trixie", "3.13", 41),
)


@dataclass(frozen=True)
class Found:
    """What pip would install, or what it misses."""

    system: System
    machine: str
    wheels: tuple[str, ...]
    """File names; empty where something is missing."""

    missing: tuple[str, ...]
    """Requirements of the project that cannot be met, and for want of what."""

    @property
    def glibc(self) -> int:
        """The newest glibc, 2.x, that one of the wheels asks for."""
        return max((newest for wheel in self.wheels if (newest := _asked(wheel))), default=0)


def platform_tags(machine: str, glibc: int) -> list[str]:
    """Return the tags of wheels that run on `machine`, newest first; piwheels' own come last."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, _OLDEST_GLIBC - 1, -1)]
    return [*tags, f"manylinux2014_{machine}", f"linux_{machine}"]


def requirements(extras: tuple[str, ...], project: Path = PROJECT) -> list[str]:
    """Return what the core and `extras` need, as `pyproject.toml` has it; InputError for another.

    An extra that names the project's own extras is not followed.
    """
    table = tomllib.loads(project.read_text("utf-8"))["project"]
    known = table["optional-dependencies"]
    for extra in extras:
        if extra not in known:
            raise InputError(f"there is no extra {extra!r}; there are {', '.join(sorted(known))}")
    return [*table["dependencies"], *(line for extra in extras for line in known[extra])]


def check(system: System, machine: str, needed: list[str]) -> Found:
    """Resolve `needed` all at once; if that fails, each by itself, to name what is missing."""
    report, _ = _resolve(system, machine, needed)
    if report is not None:
        names = (item["download_info"]["url"].rsplit("/", 1)[1] for item in report["install"])
        return Found(system, machine, tuple(sorted(names, key=str.lower)), ())
    missing = []
    for requirement in needed:
        report, why = _resolve(system, machine, [requirement])
        if report is None:
            missing.append(f"{requirement} ({why})")
    return Found(system, machine, (), tuple(missing) or ("no set of versions that fit together",))


def _resolve(system: System, machine: str, needed: list[str]) -> tuple[dict[str, Any] | None, str]:
    """Return pip's report, or None and what it could not find."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run"]
        command += ["--ignore-installed", "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", system.python, "--target", folder, "--report", str(report)]
        for tag in platform_tags(machine, system.glibc):
            command += ["--platform", tag]
        done = subprocess.run([*command, *needed], capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(report.read_text("utf-8")), ""
    return None, _reason(done.stdout + done.stderr)


def _reason(said: str) -> str:
    """Return what pip missed, from what it said."""
    deeper = _NO_MATCH_DEEPER.search(said)
    named = deeper[1].split() if deeper else _NO_MATCH.findall(said)[-1:]
    if named:
        return f"no wheel of {', '.join(named)}"
    return (said.strip().splitlines() or ["pip said nothing"])[-1]


def _asked(wheel: str) -> int:
    """Return the oldest glibc, 2.x, that runs `wheel`; 0 if it is pure Python."""
    minors = [int(minor) for minor in re.findall(r"manylinux_2_(\d+)_", wheel)]
    if "manylinux2014" in wheel:
        minors.append(_OLDEST_GLIBC)
    return min(minors, default=0)


def _rows(found: list[Found]) -> Iterator[tuple[str, ...]]:
    for one in found:
        native = sum(_asked(wheel) > 0 for wheel in one.wheels)
        summary = f"{len(one.wheels)} wheels, {native} of them native, glibc 2.{one.glibc}"
        lines = "\n".join(one.missing) if one.missing else summary
        yield one.system.name, one.machine, f"Python {one.system.python}", lines


@click.command("tools.release.check_wheels")
@click.option(
    "--machine",
    "machines",
    multiple=True,
    default=("aarch64",),
    show_default=True,
    help="As uname -m says it: aarch64, armv7l, armv6l, x86_64; repeatable.",
)
@click.option("--extra", "extras", multiple=True, help="Of pyproject.toml; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the names of the wheels.")
def main(machines: tuple[str, ...], extras: tuple[str, ...], as_json: bool) -> None:
    """Look for wheels of everything turbo_stream needs on Raspberry Pi OS.

    Ends with status 1 if something would have to be compiled there, or cannot be had.
    """
    needed = requirements(extras)
    found = [check(system, machine, needed) for machine in machines for system in SYSTEMS]
    if as_json:
        rows = [
            {
                "system": one.system.name,
                "machine": one.machine,
                "python": one.system.python,
                "wheels": one.wheels,
                "missing": one.missing,
            }
            for one in found
        ]
        print(json.dumps(rows, indent=2))
    else:
        table = Table("system", "machine", "Python", "found or missing")
        for row in _rows(found):
            table.add_row(*row)
        Console().print(table)
    if any(one.missing for one in found):
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    sys.exit(run_command(main))
