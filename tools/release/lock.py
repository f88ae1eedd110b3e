"""Command line: `python -m tools.release.lock` writes what the container image installs.

`deploy/requirements.lock` holds the exact version of everything in the image,
`deploy/build.lock` that of what builds the wheel and stays out of it. Asks the package index with
pip, and installs nothing. Needs the network, and the image's Python.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import click

from tools.release.check_wheels import PROJECT, requirements
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

ROOT = PROJECT.parent
LOCK = ROOT / "deploy" / "requirements.lock"
BUILD_LOCK = ROOT / "deploy" / "build.lock"

EXTRAS = ("serve", "webhook")
"""What the image brings beside the core."""

_HEADER = """\
# {what}, on Python {python}.
# Written by: python -m tools.release.lock
"""


def image_python(dockerfile: Path = ROOT / "Dockerfile") -> str:
    """Return the Python that the image runs, such as 3.13."""
    found = re.search(r"^ARG PYTHON=(\S+)$", dockerfile.read_text("utf-8"), re.M)
    if found is None:
        raise InputError(f"{dockerfile} names no Python; it needs a line such as ARG PYTHON=3.13")
    return found[1]


def resolved(python: str, needed: list[str]) -> list[str]:
    """Return `name==version` of all that `needed` takes, as pip of the command `python` finds it.

    Raises:
        InputError: there is no such command, or pip finds no versions that fit together.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        command += ["--only-binary", ":all:", "--report", str(report), *needed]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise InputError(
                f"`python` {python} cannot be run ({error.strerror}); give the Python of the image"
            ) from error
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines() or ["pip said nothing"]
            raise InputError(f"no versions were found: {lines[-1]}")
        found = json.loads(report.read_text("utf-8"))["install"]
    pins = (one["metadata"] for one in found)
    return sorted(f"{_plain(pin['name'])}=={pin['version']}" for pin in pins)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@click.command("tools.release.lock")
@click.option("--python", help="Command of that Python.  [default: the one of the Dockerfile]")
def main(python: str | None) -> None:
    """Write deploy/requirements.lock and deploy/build.lock anew."""
    version = image_python()
    python = python or f"python{version}"
    building = tomllib.loads(PROJECT.read_text("utf-8"))["build-system"]["requires"]
    for file, needed, what in (
        (LOCK, requirements(EXTRAS), "All that the image installs"),
        (BUILD_LOCK, building, "What builds the wheel of the image"),
    ):
        pins = "\n".join(resolved(python, needed))
        file.write_text(f"{_HEADER.format(what=what, python=version)}{pins}\n", "utf-8")


if __name__ == "__main__":
    sys.exit(run_command(main))
