"""What a command in the documentation writes into a checkout, git does not offer to commit."""

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.pages import WRITTEN, CodeBlock, blocks
from tests.support.paths import ROOT

WRITES = ["--out", "--record", "--write", "--model-out", "--learn", "--plot", "--results"]
WRITES += ["-keyout", "-out", ">"]
"""What is written stands after these."""

KEPT = {
    "turbo_stream/assets/pocketsphinx-en",
    *("results/small_sets", "results/trial", "results/trial_small"),
}
"""What a page has us make for the repository."""


def written(block: CodeBlock) -> Iterator[str]:
    """Yield the relative paths that the commands of a block write, as far as it can be seen."""
    for line in block.code.replace("\\\n", " ").splitlines():
        try:
            words = shlex.split(re.sub(r"(^|\s)#.*", "", line))
        except ValueError:  # no shell
            continue
        for option, value in zip(words, words[1:], strict=False):
            if option in WRITES:
                yield value
        yield from (word[4:] for word in words if word.startswith("out="))
        if words[:2] == ["turbo-tune", "export"]:
            yield words[3]


SHOWN = {path for page in WRITTEN for block in blocks(page, "", "sh") for path in written(block)}


def test_the_pages_write_something() -> None:
    wanted = {"my-recordings", "my-package", "RUNS/own", "house.json", "key.pem", "deploy/token"}
    assert wanted <= SHOWN


@pytest.mark.parametrize("path", sorted(SHOWN - KEPT))
def test_git_ignores_it(path: str) -> None:
    if path.startswith(("/", "$", "~")):
        return
    # Nothing of it is there: a folder is one for its last sign.
    command = ["git", "check-ignore", "--no-index", "-q"]
    found = [subprocess.run([*command, name], cwd=ROOT).returncode for name in (path, f"{path}/")]
    assert 0 in found, f"{path}: add it to .gitignore, or have the page write elsewhere"


def test_nothing_that_is_ours_is_ignored() -> None:
    # As on systems whose file names have no case, too.
    for cased in ("false", "true"):
        listed = subprocess.run(
            ["git", "-c", f"core.ignorecase={cased}", "ls-files", "-ci", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert listed.returncode == 0 and not listed.stdout
