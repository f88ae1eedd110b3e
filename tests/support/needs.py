"""Marks for tests of what pip cannot install; `.ci/run` installs all of it, and skips nothing."""

import shutil

import pytest

DEBIAN = {
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "curl": "curl",
    "espeak-ng": "espeak-ng",
    "festival": "festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k",
    "flite": "flite",
    "mosquitto": "mosquitto",
    "openssl": "openssl",
    "strace": "strace",
    "valgrind": "valgrind",
}
"""Each program and the Debian packages that bring it."""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of the programs is missing, and say what to install."""
    missing = [program for program in programs if program_path(program) is None]
    packages = " ".join(DEBIAN[program] for program in missing)
    return pytest.mark.skipif(bool(missing), reason=f"needs: apt install {packages}")


def program_path(program: str) -> str | None:
    """Return where a program is, daemons and another maker's Chromium included."""
    if program == "chromium":
        return shutil.which("chromium") or shutil.which("google-chrome")
    return shutil.which(program) or shutil.which(program, path="/usr/sbin")
