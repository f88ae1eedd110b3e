"""What CONTRIBUTING.md names is there, and its commands are those of the Makefile and of CI."""

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.needs import DEBIAN
from tests.support.paths import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CI = (ROOT / ".ci" / "run").read_text("utf-8")
ROOMS = ("", "turbo_stream")
"""Paths in the text are written from either."""

CODE = [part for part in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", PAGE) if "*" not in part]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def makefile() -> dict[str, list[str]]:
    """Return the command lines of each target."""
    text = (ROOT / "Makefile").read_text("utf-8")
    rules = re.findall(r"^(\w+):.*\n((?:\t.*\n?)+)", text, re.M)
    return {name: [line.strip() for line in lines.splitlines()] for name, lines in rules}


def mapped() -> list[Path]:
    """Return the paths of the map."""
    (tree,) = (text for kind, text in BLOCKS if not kind)
    paths, room = [], ROOT
    for line in tree.splitlines():
        names = re.split(r"\s{2,}", line.strip())[0].split()
        for name in names:
            if not line.startswith(" "):
                room = ROOT / name
            paths.append(room / name if line.startswith(" ") else ROOT / name)
    return paths


def test_every_place_on_the_map_exists() -> None:
    assert [str(path) for path in mapped() if not path.exists()] == []


@pytest.mark.parametrize("room", ["turbo_stream", "training", "tools"])
def test_every_room_is_on_the_map(room) -> None:
    rooms = {path.parent for path in (ROOT / room).glob("*/__init__.py")}
    assert rooms - set(mapped()) == set()


def test_every_path_in_the_text_exists() -> None:
    paths = [part for part in CODE if re.fullmatch(r"[\w./-]*(/[\w./-]*|\.(md|py|toml))", part)]
    paths = [path for path in paths if not path.startswith(".venv")]
    assert len(paths) > 25
    assert [p for p in paths if not any((ROOT / room / p).exists() for room in ROOMS)] == []


def test_the_commands_of_one_word_are_those_of_the_makefile() -> None:
    table = re.findall(r"^\| `make (\w+)` \|", PAGE, re.M)
    assert table == list(makefile())
    used = {
        word
        for _, text in BLOCKS
        for line in re.findall(r"^make (.*?)(?:  |$)", text, re.M)
        for word in line.split()
    }
    assert used <= set(table)


def test_the_makefile_runs_modules_that_are_there() -> None:
    lines = [line for lines in makefile().values() for line in lines]
    words = [shlex.split(line) for line in lines]
    assert all(line[:2] == ["$(PYTHON)", "-m"] for line in words)
    assert [line[2] for line in words if importlib.util.find_spec(line[2]) is None] == []


def test_the_commands_of_the_project_and_its_extras_exist() -> None:
    text = "\n".join(text for kind, text in BLOCKS if kind == "sh")
    commands = set(re.findall(r"^\.venv/bin/([\w-]+)", text, re.M))
    assert commands <= {*PROJECT["scripts"], "pytest", "pip"}
    extras = {extra for found in re.findall(r'"\.\[(.*?)\]"', text) for extra in found.split(",")}
    assert extras and extras <= set(PROJECT["optional-dependencies"])


def test_a_machine_for_ci_has_every_program_that_a_test_needs() -> None:
    (packages,) = re.findall(r"^packages=\((.*?)\)", CI, re.M | re.DOTALL)
    assert {name for names in DEBIAN.values() for name in names.split()} <= set(packages.split())


def test_ci_lints_with_the_commands_of_the_makefile() -> None:
    assert re.search(r"^make lint types\b", CI, re.M)


def test_the_workflow_runs_ci_on_every_python_that_is_promised() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    job = workflow["jobs"]["test"]
    promised = [name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if ":: 3." in name]
    assert job["strategy"]["matrix"]["python"] == promised
    assert [step["run"] for step in job["steps"] if "run" in step][-1] == ".ci/run"
    assert workflow["permissions"] == {"contents": "read"}
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)


def test_hooks_fetch_nothing_and_use_the_makefile() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (local,) = config["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    targets = [hook["entry"].split()[1] for hook in local["hooks"] if "make " in hook["entry"]]
    assert set(targets) <= set(makefile())
