"""Promise 7: rejected speech leaves no trace in files, logs, outputs or sockets.

Each case runs the real command line in a process of its own, with fresh HOME, TMPDIR and working
folder, the root logger at DEBUG, and an audit hook (PEP 578) on files and sockets. What native
libraries do behind Python's back is seen in the new files, and by strace.
"""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import soundfile

from tests.support.needs import needs
from tests.support.paths import ROOT
from tests.support.privacy_child import CANARY
from tests.support.tiny_package import write_package

REJECT = ["--threshold", "1"]
ACCEPT = ["--threshold", "0"]
VIEWS = ("jsonl", "plain", "screen")


@dataclass
class Run:
    """What one run of turbo-listen left behind."""

    status: int
    output: str
    """What the user sees: standard output."""
    errors: str
    """Standard error, with the log at DEBUG."""
    files: dict[str, bytes]
    """Files under HOME, TMPDIR and the working folder that were not there before."""
    seen: list[str]
    """Files opened to write and sockets used, from the audit hook."""

    def traces(self, words: list[str]) -> list[str]:
        """Return where any of `words` was left, and every file or socket at all."""
        places = {"output": self.output, "errors": self.errors}
        found = [
            f"{place}: {word}"
            for place, text in places.items()
            for word in words
            if word.lower() in text.lower()
        ]
        return found + [f"file: {name}" for name in self.files] + [f"seen: {e}" for e in self.seen]


@pytest.fixture(scope="module")
def clip(tmp_path_factory, kitchen_pcm) -> Path:
    """The first utterance of the shipped scene, and a second of what follows it."""
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    soundfile.write(path, kitchen_pcm[: int(4.2 * 16_000)], 16_000)
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "tiny")


@pytest.fixture
def listen(tmp_path, clip, package):
    """Return a function that runs turbo-listen on the clip and watches it."""

    def run(*options, recognizer="canary", leak="none", view="jsonl", under=()) -> Run:
        homes = {name: tmp_path / name for name in ("HOME", "TMPDIR", "cwd", "ELSEWHERE")}
        for folder in homes.values():
            folder.mkdir(exist_ok=True)
        cwd = homes.pop("cwd")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "TERM": "xterm",
            "COLUMNS": "200",
            **{name: str(folder) for name, folder in homes.items()},
        }
        report_reader, report_writer = os.pipe()
        out, child_out = pty.openpty() if view == "screen" else os.pipe()
        child = str(ROOT / "tests" / "support" / "privacy_child.py")
        arguments = [*under, sys.executable, child, str(report_writer), recognizer, leak, str(clip)]
        arguments += ["--asr", "none" if recognizer != "own" else "pocketsphinx"]
        arguments += ["--model", str(package), *options]
        arguments += ["--jsonl"] if view == "jsonl" else []
        errors_path = tmp_path / "errors"
        with errors_path.open("wb") as errors:
            process = subprocess.Popen(
                arguments,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=child_out,
                stderr=errors,
                pass_fds=[report_writer],
            )
        os.close(child_out)
        os.close(report_writer)
        output = _read_all(out)
        report = _read_all(report_reader)
        process.wait(60)
        folders = (homes["HOME"], homes["TMPDIR"], cwd)
        return Run(
            status=process.returncode,
            output=output,
            errors=errors_path.read_text("utf-8", "replace"),
            files={
                str(path.relative_to(tmp_path)): path.read_bytes()
                for folder in folders
                for path in folder.rglob("*")
                if path.is_file()
            },
            seen=json.loads(report),
        )

    return run


def _read_all(descriptor: int) -> str:
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 65_536)
        except OSError:  # a terminal whose other side has closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(descriptor)
    return b"".join(chunks).decode("utf-8", "replace")


WORDS = CANARY.split()


@pytest.mark.parametrize("view", VIEWS)
def test_rejected_speech_leaves_no_trace(listen, view):
    run = listen(*REJECT, view=view)
    assert run.status == 0, run.errors
    assert "reject" in run.output.lower()
    assert run.traces(WORDS) == []


@pytest.mark.parametrize("shell", [[], ["--realtime"]], ids=["synchronous", "live"])
def test_rejected_speech_that_nobody_corrects_leaves_no_trace_where_a_device_learns(listen, shell):
    run = listen(*REJECT, *shell, "--learn", "house.json")
    assert run.status == 0, run.errors
    assert '"correction_id"' in run.output and '"rejected"' in run.output
    assert run.traces(WORDS) == []


@pytest.mark.slow
def test_rejected_speech_leaves_no_trace_when_live(listen):
    run = listen(*REJECT, "--realtime")
    assert run.status == 0, run.errors
    assert '"rejected"' in run.output
    assert run.traces(WORDS) == []


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_text_while_speech_goes_on_is_seen_and_left_nowhere(listen, view):
    run = listen(*ACCEPT, "--realtime", view=view)
    assert run.status == 0, run.errors
    assert run.traces(WORDS) == [f"output: {word}" for word in WORDS]
    if view == "jsonl":
        events = [json.loads(line) for line in run.output.splitlines()]
        partial = next(event for event in events if event["event"] == "partial")
        assert partial["text"] == CANARY
        silent = listen(*ACCEPT, "--realtime", "--no-partials")
        assert "partial" not in silent.output and CANARY in silent.output


def test_what_the_sound_alone_rejects_has_no_text_to_leave_anywhere(listen):
    """Not even with a detector that would give every text away."""
    run = listen("--threshold", "0.999", "--sound-reject", "0.998", leak="text file")
    assert '"rejected_by_sound"' in run.output, run.output + run.errors
    assert run.traces(WORDS) == []


@pytest.mark.parametrize(
    ("recognizer", "leak"), [("raising", "none"), ("canary", "exception")], ids=["asr", "turbo"]
)
def test_a_failing_model_quotes_nothing(listen, recognizer, leak):
    run = listen(*REJECT, recognizer=recognizer, leak=leak)
    assert run.status == 0, run.errors
    assert "RuntimeError" in run.errors
    assert run.traces(WORDS) == []


@pytest.mark.slow
def test_what_pocketsphinx_hears_is_said_only_when_accepted(listen):
    """The words of an accepted run are the canary of a rejected one; the engine logs much."""
    accepted = listen(*ACCEPT, recognizer="own")
    utterances = [json.loads(line) for line in accepted.output.splitlines()]
    texts = [event["text"] for event in utterances if event["event"] == "utterance"]
    words = [word for text in texts for word in text.split() if len(word) > 4]
    assert words, accepted.errors
    rejected = listen(*REJECT, recognizer="own")
    assert '"rejected"' in rejected.output
    assert rejected.traces(words) == []


@pytest.mark.slow
def test_rejected_speech_is_handed_on_to_nobody(listen):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # refuses whatever comes
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        handing_on = ["--on-accept", "echo {text}", "--webhook", url]
        rejected = listen(*REJECT, *handing_on)
        accepted = listen(*ACCEPT, *handing_on)
        server.shutdown()
    assert '"rejected"' in rejected.output, rejected.errors
    # The HTTP client binds a socket when it is imported, to learn whether there is IPv6.
    imported = ("seen: socket.__new__", "seen: socket.bind")
    assert [place for place in rejected.traces(WORDS) if not place.startswith(imported)] == []
    kinds = {place.split()[0] for place in accepted.seen}
    assert {"subprocess.Popen", "socket.connect"} <= kinds, accepted.seen


@pytest.mark.slow
@pytest.mark.parametrize("shell", [[], ["--realtime"]], ids=["synchronous", "live"])
def test_recording_keeps_nothing_of_rejected_speech(listen, shell):
    run = listen(*REJECT, *shell, "--record", "kept")
    assert '"rejected"' in run.output, run.errors
    assert run.files == {"cwd/kept/manifest.jsonl": b""}
    assert run.traces(WORDS)[1:] == [f"seen: {place}" for place in run.seen]
    assert {place.rsplit("/", 1)[1] for place in run.seen} <= {"manifest.jsonl", "kept"}, run.seen


def test_recording_keeps_what_it_was_asked_to_and_no_more(listen):
    accepted = listen(*ACCEPT, "--record", "kept")
    rejected = listen(*REJECT, "--record", "also", "--record-rejected")
    assert [len(run.files) for run in (accepted, rejected)] == [2, 4]
    assert CANARY.encode() in accepted.files["cwd/kept/manifest.jsonl"]
    row = json.loads(rejected.files["cwd/also/manifest.jsonl"])
    assert row["decision"] == "rejected" and "text_used" not in row
    assert not any(word in rejected.errors for word in WORDS)


NATIVE = re.compile(
    r"(connect|bind|sendto|sendmsg|sendmmsg)\(|openat?\(.*O_(WRONLY|RDWR|CREAT)|(mkdir|rename)\w*\("
)
HARMLESS = ("/dev/null", "/dev/tty", "/dev/ptmx")


@pytest.mark.slow
@needs("strace")
@pytest.mark.parametrize(
    ("recognizer", "leak"),
    [("canary", "none"), ("own", "none"), ("canary", "audio file"), ("canary", "socket")],
    ids=["nothing", "nothing, PocketSphinx and its process", "audio file", "socket"],
)
def test_no_library_writes_or_sends_behind_pythons_back(listen, tmp_path, recognizer, leak):
    """Native code raises no audit events: ONNX Runtime's telemetry was found in this way."""
    log = tmp_path / "strace"
    calls = "trace=network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2"
    under = ["strace", "-f", "--seccomp-bpf", "-s", "200", "-e", calls, "-o", str(log)]
    run = listen(*REJECT, under=under, recognizer=recognizer, leak=leak)
    assert '"rejected"' in run.output, run.errors
    calls_made = log.read_text("utf-8", "replace")
    # What only the process that decodes reads: it was watched, too.
    assert (recognizer == "own") == ("/noisedict" in calls_made)
    lines = [line for line in calls_made.splitlines() if NATIVE.search(line)]
    found = [line for line in lines if not any(f'"{path}"' in line for path in HARMLESS)]
    if leak == "none":
        assert found == []
    else:
        assert any(("last.raw" if leak == "audio file" else "sendto(") in line for line in found)


@pytest.mark.parametrize("view", VIEWS)
def test_the_user_may_ask_for_it(listen, view):
    run = listen(*REJECT, "--show-rejected", view=view)
    traces = run.traces(WORDS)
    assert traces == [f"output: {word}" for word in WORDS]


@pytest.mark.parametrize("view", VIEWS)
def test_accepted_speech_is_shown_and_kept_nowhere_either(listen, view):
    run = listen(*ACCEPT, view=view)
    assert run.traces(WORDS) == [f"output: {word}" for word in WORDS]


LEAKS = {
    "text file": "file: TMPDIR/notes.txt",
    "audio file": "file: HOME/last.raw",
    "file elsewhere": "seen: open",
    "log": "errors: marmalade",
    "stderr": "errors: quartz",
    "socket": "seen: socket.sendto",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_would_be_noticed(listen, leak):
    traces = listen(*REJECT, leak=leak).traces(WORDS)
    assert any(trace.startswith(LEAKS[leak]) for trace in traces), traces
