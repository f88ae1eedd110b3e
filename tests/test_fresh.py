"""What `make fresh` makes of the pages; it takes too long to be run itself here."""

import pytest

from tests.fresh.__main__ import PAGES
from tests.fresh.step import steps
from tests.support.pages import CodeBlock, blocks
from tests.support.paths import ROOT


def kinds(code: str) -> list[str]:
    return [step.kind for step in steps(CodeBlock("page", 1, "sh", code, not_run=False))]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("turbo-listen", "microphone"),
        (".venv/bin/turbo-listen --name friday --on-accept 'say {text}'  # hears", "microphone"),
        ("turbo-listen kitchen.wav --jsonl", "run"),
        ("turbo-listen --list-devices", "run"),
        ("turbo-tune name aoife", "skip"),
        ("turbo-tune name aoife sayings.wav", "run"),
        ("turbo-serve --token-file token", "serve"),
        ("turbo-doctor", "run"),
        ("turbo-doctor --listen 3", "listen"),
        ("pip install -q '.[serve]'", "install"),
        ('pip install -e ".[train]"', "skip"),
        ("python -m training.train own", "skip"),
        ("turbo-eval manifest.jsonl --out DIR", "skip"),
        ("curl http://127.0.0.1:8765/v1/learning", "run"),
    ],
)
def test_a_line_is_run_as_it_must_be(line: str, kind: str) -> None:
    assert kinds(line) == [kind]


def test_lines_are_whole_and_the_reason_is_told() -> None:
    assert kinds("git clone ADDRESS x && pip install . && turbo-listen \\\n  a.wav") == [
        "skip",
        "install",
        "run",
    ]
    found = [step for page in PAGES for one in blocks(ROOT / page, "sh") for step in steps(one)]
    kinds_found = {"run", "microphone", "listen", "serve", "install", "skip"}
    assert {step.kind for step in found} == kinds_found
    assert all(bool(step.why) == (step.kind == "skip") for step in found)
