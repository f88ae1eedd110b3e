"""Libraries name fields, commands name flags."""

import ast
import re
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.support.paths import ROOT
from turbo_stream.cli.bench import bench_asr
from turbo_stream.cli.doctor import doctor
from turbo_stream.cli.evaluate import evaluate
from turbo_stream.cli.listen import listen
from turbo_stream.cli.models import download
from turbo_stream.cli.serve import serve
from turbo_stream.cli.wording import tell, with_flags
from turbo_stream.recognition import _hub as hub
from turbo_stream.recognition.auto import load_recognizer

PACKAGE = ROOT / "turbo_stream"
LIBRARY = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] != "cli" and path.name != "__main__.py"
)

OTHERS = {
    "benchmark/listen/_cold_start.py": {"--jsonl"},
    # Of curl, with which a client sends a file.
    "serving/_classify.py": {"--data-binary"},
}
"""Options of a process that a file starts."""

_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_PIP = re.compile(r"pip install( --[a-z-]+)+")


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_library_knows_the_command_line(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "click" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert module.split(".")[0] != "click" and not module.startswith("turbo_stream.cli")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = set(_FLAG.findall(_PIP.sub("", node.value)))
            assert not found - OTHERS.get(path.relative_to(PACKAGE).as_posix(), set()), node.lineno


@pytest.mark.parametrize(
    ("command", "text", "told"),
    [
        (listen, "give a `threshold`, or `asr` tiny", "give a --threshold, or --asr tiny"),
        (listen, "`names`, `partials`, `folder`", "--name, --partials, --record"),
        (listen, "`segments` and `Decider` stay", "`segments` and `Decider` stay"),
        (serve, "`clients`, `allow_hosts`, `mqtt_ca`", "--max-clients, --allow-host, --mqtt-ca"),
        (evaluate, "`model_out`, `out`, `gold_text`", "--model-out, --out, --text"),
        (bench_asr, "`window_floor_s`, `plot`", "--window-floor, --plot"),
        (doctor, "`device`, `microphone`, `asr`", "--device, --no-microphone, --asr"),
        (download, "copy it here and give it as `asr`", "copy it here and give it as --asr"),
    ],
)
def test_fields_in_backticks_become_flags(command, text: str, told: str) -> None:
    assert with_flags(text, command) == told


def test_notices_name_flags_and_their_program(capsys) -> None:
    tell(listen, "`webhook`: utterance 3: answer 500")
    tell(bench_asr, "`asr` auto", program="turbo-bench")
    said = "turbo-listen: --webhook: utterance 3: answer 500\nturbo-bench: --asr auto\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("columns", [80, 40, 20])
def test_on_a_terminal_a_notice_is_broken_between_words(columns: int, monkeypatch, capfd) -> None:
    """The one of every start without the network has one line of 80 columns."""
    monkeypatch.setattr(hub, "cached", lambda repository: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("COLUMNS", str(columns))
    said: list[str] = []
    load_recognizer("auto", say=said.append)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell(listen, said[0])
    lines = capfd.readouterr().err.splitlines()
    assert (len(lines) == 1) == (columns == 80)
    assert all(len(line) <= columns for line in lines)
    assert " ".join(" ".join(lines).split()) == f"turbo-listen: {said[0]}"
