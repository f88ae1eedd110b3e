"""The versions that the image installs: exact, enough, and as `pyproject.toml` allows."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.paths import ROOT
from tools.release.check_wheels import requirements
from tools.release.lock import BUILD_LOCK, EXTRAS, LOCK, image_python, main, resolved
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

BUILDING = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]

MARKERS = {
    "python_version": image_python(),
    "python_full_version": f"{image_python()}.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
}
"""Of the image; it is built for x86-64 and for Arm."""

MACHINES = ("x86_64", "aarch64")


def pins(file) -> dict[str, str]:
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = dict(line.split("==") for line in lines)
    assert len(found) == len(lines) and lines == sorted(lines)
    return found


def wanted(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(
        requirement.marker.evaluate({**MARKERS, "platform_machine": machine, "extra": extra})
        for machine in MACHINES
        for extra in (extras or {""})
    )


def closure(needed: list[str], locked: dict[str, str]) -> set[str]:
    """Everything that `needed` takes, by what the distributions installed here say they need.

    Of one that is not here in the locked version, no range is held against the lock: a newer one
    may need other things. `pip check` does so when the image is built.
    """
    seen: set[tuple[str, frozenset[str]]] = set()
    names = set()
    waiting = [(Requirement(line), True) for line in needed]
    while waiting:
        requirement, binding = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if binding:
            assert name in locked, f"{requirement} is not locked"
            assert Version(locked[name]) in requirement.specifier, (requirement, locked[name])
        if key in seen or name not in locked:
            continue
        seen.add(key)
        names.add(name)
        try:
            here = distribution(name)
        except PackageNotFoundError:
            continue
        same = here.version == locked[name]
        for line in here.requires or ():
            deeper = Requirement(line)
            if wanted(deeper, set(requirement.extras)):
                waiting.append((deeper, same))
    return names


@pytest.mark.parametrize("file", [LOCK, BUILD_LOCK], ids=lambda file: file.name)
def test_a_lock_names_exact_versions_and_no_place(file) -> None:
    for name, version in pins(file).items():
        assert name == canonicalize_name(name) and str(Version(version)) == version
    assert not re.search(r"https?:|--index|@|/", file.read_text("utf-8"))


def test_the_image_gets_all_it_needs_in_versions_that_the_project_allows() -> None:
    locked = pins(LOCK)
    found = closure(requirements(EXTRAS), locked)
    assert found, "nothing was followed"
    direct = {canonicalize_name(Requirement(line).name) for line in requirements(EXTRAS)}
    assert direct <= found


def test_the_wheel_is_built_by_what_is_locked() -> None:
    assert {canonicalize_name(Requirement(line).name) for line in BUILDING} <= closure(
        BUILDING, pins(BUILD_LOCK)
    )


def test_a_lock_that_lacks_something_or_is_too_old_is_seen() -> None:
    locked = pins(LOCK)
    with pytest.raises(AssertionError, match="not locked"):
        closure(requirements(EXTRAS), {name: v for name, v in locked.items() if name != "soxr"})
    with pytest.raises(AssertionError):
        closure(requirements(EXTRAS), {**locked, "av": "13.0.0"})


def test_the_dockerfile_installs_the_locks() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    assert re.search(r"/opt/turbo-stream/bin/pip install [^&]*-r deploy/requirements\.lock", text)
    assert re.search(r"/opt/build/bin/pip install [^&]*-r deploy/build\.lock", text)
    installs = re.findall(r"pip install ([^&\n]*)", text)
    assert all("-r deploy/" in call for call in installs)
    copied = " ".join(re.findall(r"^COPY (.*)$", text, re.M))
    assert "deploy/requirements.lock" in copied and "deploy/build.lock" in copied


def test_a_python_that_is_not_there_is_told(capsys) -> None:
    with pytest.raises(InputError, match="cannot be run"):
        resolved("no-such-python", ["click"])
    assert run_command(main, ["--python", "no-such-python"]) == 2
    assert "--python no-such-python" in capsys.readouterr().err


def test_what_pip_finds_is_written_as_pins(tmp_path) -> None:
    pip = tmp_path / "pip"
    pip.write_text(
        "#!/bin/sh\n"
        'while [ "$1" != --report ]; do shift; done\n'
        """echo '{"install": [{"metadata": {"name": "B.c", "version": "2"}},"""
        """ {"metadata": {"name": "A_b", "version": "1.0"}}]}' > "$2"\n"""
    )
    pip.chmod(0o755)
    assert resolved(str(pip), ["b-c"]) == ["a-b==1.0", "b-c==2"]
