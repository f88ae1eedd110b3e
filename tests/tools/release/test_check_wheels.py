"""Wheels for another machine, from a package index on this disk."""

import zipfile

import pytest

from tools.release.check_wheels import System, check, platform_tags, requirements
from turbo_stream.errors import InputError

BOOKWORM = System("bookworm", "3.11", 36)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An empty index of packages; add wheels with `add`."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def add(index, name, tags, needs=()):
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0"]
    metadata += [f"Requires-Dist: {need}" for need in needs]
    with zipfile.ZipFile(index / f"{name}-1.0-{tags}.whl", "w") as wheel:
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(metadata) + "\n")
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")


def test_what_that_machine_would_install_is_found(index):
    add(index, "pure", "py3-none-any", needs=["native"])
    add(index, "native", "cp311-cp311-manylinux_2_28_aarch64")
    add(index, "native", "cp311-cp311-manylinux_2_17_x86_64")
    found = check(BOOKWORM, "aarch64", ["pure>=1"])
    assert found.wheels == ("native-1.0-cp311-cp311-manylinux_2_28_aarch64.whl",) + (
        "pure-1.0-py3-none-any.whl",
    )
    assert found.missing == () and found.glibc == 28


@pytest.mark.slow
def test_what_is_missing_is_named_with_who_needs_it(index):
    """Wheels for another machine, a newer glibc and another Python will not do."""
    add(index, "pure", "py3-none-any", needs=["native"])
    add(index, "native", "cp311-cp311-manylinux_2_17_x86_64")
    add(index, "native", "cp311-cp311-manylinux_2_37_aarch64")
    add(index, "native", "cp313-cp313-manylinux_2_17_aarch64")
    add(index, "other", "py3-none-any")
    found = check(BOOKWORM, "aarch64", ["other", "pure>=1"])
    assert found.wheels == ()
    assert found.missing == ("pure>=1 (no wheel of native)",)


def test_the_tags_are_those_that_run_there():
    tags = platform_tags("armv7l", 36)
    assert tags[0] == "manylinux_2_36_armv7l" and tags[-1] == "linux_armv7l"
    assert "manylinux_2_17_armv7l" in tags and "manylinux_2_37_armv7l" not in tags


def test_what_is_needed_stands_in_the_project():
    core = requirements(())
    assert any(line.startswith("onnxruntime") for line in core)
    assert len(requirements(("serve",))) > len(core)
    with pytest.raises(InputError, match="no extra 'serv'; there are"):
        requirements(("serv",))
