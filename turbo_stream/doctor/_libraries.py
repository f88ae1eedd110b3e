"""Python, and the libraries that the core and the extras name."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

import turbo_stream
from turbo_stream.doctor.check import Check

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_OLDEST = (3, 11)

DISTRIBUTION = "turbo-listen"
"""What pip calls this package; `turbo-stream` on the index is a stranger's."""

MODULES = {
    "click": "click",
    "faster-whisper": "faster_whisper",
    "huggingface_hub": "huggingface_hub",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "packaging": "packaging",
    "pocketsphinx": "pocketsphinx",
    "rich": "rich",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "tokenizers": "tokenizers",
    "webrtcvad-wheels": "webrtcvad",
}
"""Libraries of the core and what they are imported as; `sounddevice` comes with PortAudio."""

_IMPORTER = """
import importlib, json, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        importlib.import_module(name)
        error = None
    except BaseException as caught:
        error = f"{type(caught).__name__}: {' '.join(str(caught).split())}"
    print(json.dumps(error), flush=True)
"""


def look_at_python() -> list[Check]:
    """Return whether this Python will do."""
    found = f"Python {platform.python_version()}, turbo_stream {turbo_stream.__version__}"
    if sys.version_info[:2] >= _OLDEST:
        return [Check("python", "ok", found)]
    return [Check("python", "missing", found, "install Python 3.11 or newer")]


def look_at_libraries() -> list[Check]:
    """Import each library of the core, in a process of its own: on some CPUs one may kill it."""
    problems = import_problems(list(MODULES.values()))
    checks = []
    for library, module in MODULES.items():
        problem = problems[module]
        if problem is None:
            checks.append(Check(library, "ok", _version(library)))
        else:
            advice = f"pip install --force-reinstall '{library}'"
            if problem.startswith("SIG"):
                advice = "its wheel may be for another processor; try an older version of it"
            checks.append(Check(library, "missing", problem, advice))
    return checks


def look_at_extras() -> list[Check]:
    """Return which extras are installed; their absence is nothing amiss."""
    from packaging.requirements import Requirement

    try:
        named = [Requirement(line) for line in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return [Check("extras", "note", "turbo_stream runs from a checkout that is not installed")]
    extras: dict[str, list[str]] = {}
    for requirement in named:
        for extra in _extras(requirement):
            missing = extras.setdefault(extra, [])
            if not _installed(requirement):
                missing.append(str(requirement.name))
    return [_extra(name, missing) for name, missing in sorted(extras.items())]


def import_problems(modules: list[str]) -> dict[str, str | None]:
    """Return for each module why it cannot be imported; a signal's name if it kills the process."""
    problems: dict[str, str | None] = {}
    while left := [module for module in modules if module not in problems]:
        child = subprocess.run(
            [sys.executable, "-c", _IMPORTER, *left],
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        lines = child.stdout.splitlines()
        for module, line in zip(lines[::2], lines[1::2], strict=False):
            problems[module] = json.loads(line)
        if len(lines) % 2:
            problems[lines[-1]] = _death(child.returncode)
        elif not lines:
            # Not even the first was begun: Python itself does not start.
            problems |= dict.fromkeys(left, _death(child.returncode))
    return problems


def _death(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"ended Python with status {status}"


def _extra(name: str, missing: list[str]) -> Check:
    if not missing:
        return Check(f"extra {name}", "ok", "installed")
    advice = f"pip install 'turbo-listen[{name}]', if it is wanted"
    return Check(f"extra {name}", "note", f"not installed: {', '.join(missing)}", advice)


def _extras(requirement: Requirement) -> Iterator[str]:
    """Yield the extras that bring `requirement`; those of developers are left out."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return
    # Without `moonshine`: of that one model it is said where the models are.
    for extra in ("echo", "eval", "livekit", "pipecat", "scale", "serve", "webhook"):
        if requirement.marker.evaluate({"extra": extra}):
            yield extra


def _installed(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "version unknown"
