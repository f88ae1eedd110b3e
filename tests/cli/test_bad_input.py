"""turbo-listen on what users really give it: one clear line and status 2, or a right answer.

Every case is a process of its own; all of them are started before the first test looks.
"""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from tests.support.paths import ROOT
from tests.support.sound_files import encode
from tests.support.tiny_package import write_package

pytestmark = pytest.mark.slow

RATE = 16_000
START_S, END_S = 1.2, 2.875
"""Edges of the one utterance in the clip."""


class Case(NamedTuple):
    """One call: the options, what must be said on stderr if it is refused."""

    arguments: list
    says: str | None = None
    """None: it must give the right answer."""
    stdin: str | None = None
    """Shell redirection, such as `< file`."""


class Outcome(NamedTuple):
    status: int
    output: str
    errors: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory, kitchen_pcm) -> Path:
    """Files of every good and bad kind."""
    folder = tmp_path_factory.mktemp("inputs")
    write_package(folder / "model")
    _write_sounds(folder, kitchen_pcm[: int(4.2 * RATE)])
    _write_bad_files(folder)
    _write_configs(folder)
    _write_bad_models(folder)
    return folder


def _write_sounds(folder: Path, pcm: np.ndarray) -> None:
    clip = pcm.astype(np.float64) / 32768
    random = np.random.default_rng(0)

    def write(name, samples, rate=RATE, subtype="PCM_16"):
        soundfile.write(folder / name, samples, rate, subtype=subtype)

    write("clip.wav", clip)
    write("8bit.wav", clip, subtype="PCM_U8")
    write("24bit.wav", clip, subtype="PCM_24")
    write("float.wav", clip, subtype="FLOAT")
    write("double.wav", clip, subtype="DOUBLE")
    write("mulaw.wav", clip, subtype="ULAW")
    write("8channels.wav", np.repeat(clip[:, None], 8, axis=1))
    channels = random.normal(0, 1e-3, (len(clip), 8))
    channels[:, 5] = clip
    write("channel5.wav", channels)
    times = np.arange(int(len(clip) * 12)) / 12
    write("192k.wav", np.interp(times, np.arange(len(clip)), clip), 192_000)
    write("8k.wav", (clip[0::2] + clip[1::2]) / 2, 8_000)
    write(
        "44k.flac",
        np.interp(np.arange(0, len(clip), RATE / 44_100), range(len(clip)), clip),
        44_100,
    )
    write("dc.wav", clip * 0.5 + 0.25)
    write("clipped.wav", np.clip(clip * 30, -1, 1))
    holes = clip.copy()
    holes[random.integers(0, len(clip), 50)] = np.nan
    holes[random.integers(0, len(clip), 50)] = np.inf
    write("nan.wav", holes.astype(np.float32), subtype="FLOAT")
    write("all_nan.wav", np.full(RATE, np.nan, np.float32), subtype="FLOAT")
    write("one_sample.wav", clip[:1])
    whole = (folder / "clip.wav").read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: int(len(whole) * 0.9)])
    (folder / "clip.raw").write_bytes(pcm.tobytes())
    (folder / "odd.raw").write_bytes(pcm.tobytes() + b"\x01")
    (folder / "killed.wav").write_bytes(whole[:40] + bytes(4) + whole[44:])
    write("opposite.wav", np.stack([clip, -clip], axis=1))
    for name in (
        "10:30.wav",
        "http:x.wav",
        os.fsdecode(b"caf\xe9.wav"),
        "two\nlines.wav",
        "-d.wav",
    ):
        (folder / name).write_bytes(whole)
    encode(folder / "clip.mkv", [np.interp(times[::4], range(len(clip)), clip)] * 2, "aac", 48_000)


def _write_bad_files(folder: Path) -> None:
    whole = (folder / "clip.wav").read_bytes()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "header.wav").write_bytes(whole[:44])
    (folder / "half_header.wav").write_bytes(whole[:20])
    (folder / "text.wav").write_text("This is a letter to my aunt.\n" * 50)
    (folder / "random.wav").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "folder.wav").mkdir()
    (folder / "rate.wav").write_bytes(
        whole[:24] + (2_130_722_432).to_bytes(4, "little") + whole[28:]
    )
    (folder / "one_byte.raw").write_bytes(b"\x01")


def _write_configs(folder: Path) -> None:
    configs = {
        "good": 'asr = "none"\nthreshold = 0.0\nname = ["friday", "hey"]\n',
        "unknown": 'assr = "none"\n',
        "broken": 'asr = "none\n',
        "wrong_type": 'threshold = "loud"\n',
        "wrong_flag": 'jsonl = "yes"\n',
        "table": "[threshold]\nvalue = 0.5\n",
        "out_of_range": "threshold = 2.5\n",
    }
    for name, text in configs.items():
        (folder / f"{name}.toml").write_text(text)
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00\x01")


def _write_bad_models(folder: Path) -> None:
    for name in ("model.int8.onnx", "tokenizer.json"):
        damaged = write_package(folder / f"damaged_{name}")
        with (damaged / name).open("ab") as file:
            file.write(b" ")
    (write_package(folder / "no_graph") / "model.int8.onnx").unlink()
    write_package(folder / "no_sense", graph=b"not a graph")
    write_package(folder / "format9", format=9)
    write_package(folder / "emotion", labels=["calm", "angry"], threshold=None, operating_points={})
    (write_package(folder / "broken_json") / "turbo.json").write_text("{")


CASES = {
    # A right answer.
    "plain": Case(["clip.wav"]),
    "8 bit": Case(["8bit.wav"]),
    "24 bit": Case(["24bit.wav"]),
    "float": Case(["float.wav"]),
    "double": Case(["double.wav"]),
    "mu-law": Case(["mulaw.wav"]),
    "8 channels": Case(["8channels.wav"]),
    "channel 5 of 8": Case(["channel5.wav", "--channel", "5"]),
    "192 kHz": Case(["192k.wav"]),
    "8 kHz": Case(["8k.wav"]),
    "44.1 kHz flac": Case(["44k.flac"]),
    "dc": Case(["dc.wav"]),
    "clipped": Case(["clipped.wav"]),
    "nan": Case(["nan.wav"]),
    "truncated": Case(["truncated.wav"]),
    "stdin": Case(["-"], stdin="< clip.raw"),
    "stdin of odd length": Case(["-"], stdin="< odd.raw"),
    "config": Case(["clip.wav", "--config", "good.toml"]),
    "a killed recorder": Case(["killed.wav"]),
    "opposite phase": Case(["opposite.wav"]),
    "a name with a colon": Case(["10:30.wav"]),
    "a name like an address": Case(["http:x.wav"]),
    "a name that is no UTF-8": Case([os.fsdecode(b"caf\xe9.wav")]),
    "a name of two lines": Case(["two\nlines.wav"]),
    "a name with a dash": Case(["./-d.wav"]),
    "the second track": Case(["clip.mkv", "--track", "1"]),
    # One line, status 2.
    "missing file": Case(["nowhere.wav"], "nowhere.wav"),
    "empty file": Case(["empty.wav"], "empty.wav"),
    "header only": Case(["header.wav"], "header.wav"),
    "half a header": Case(["half_header.wav"], "half_header.wav"),
    "text": Case(["text.wav"], "text.wav"),
    "random bytes": Case(["random.wav"], "random.wav"),
    "an absurd rate": Case(["rate.wav"], "2130722432"),
    "a folder": Case(["folder.wav"], "folder.wav"),
    "a null byte": Case(["/dev/null"], "/dev/null"),
    "no such channel": Case(["8channels.wav", "--channel", "8"], "channel"),
    "negative channel": Case(["clip.wav", "--channel", "-1"], "channel"),
    "missing device": Case(["--device", "no such microphone"], "microphone"),
    "missing device number": Case(["--device", "977"], "microphone"),
    "closed stdin": Case(["-"], "stdin", "<&-"),
    "empty stdin": Case(["-"], "stdin", "< /dev/null"),
    "one byte on stdin": Case(["-"], "stdin", "< one_byte.raw"),
    "a wav on stdin": Case(["-"], "WAV", "< clip.wav"),
    "flac on stdin": Case(["-"], "ffmpeg -i - -f s16le", "< 44k.flac"),
    "matroska on stdin": Case(["-"], "ffmpeg -i - -f s16le", "< clip.mkv"),
    "no such track": Case(["clip.mkv", "--track", "2"], "no audio track 2"),
    "a track on stdin": Case(["-", "--track", "1"], "--track is 1", "< clip.raw"),
    "a name that is no UTF-8, missing": Case([os.fsdecode(b"\xe9.wav")], "\\xe9.wav: no such file"),
    "a dash before a name": Case(["-d.wav"], "give ./-d.wav"),
    "unknown option": Case(["clip.wav", "--frobnicate"], "--frobnicate"),
    "two sources": Case(["clip.wav", "8bit.wav"], "8bit.wav"),
    "threshold of words": Case(["clip.wav", "--threshold", "loud"], "loud"),
    "threshold too high": Case(["clip.wav", "--threshold", "1.5"], "1.5"),
    "threshold nan": Case(["clip.wav", "--threshold", "nan"], "nan"),
    "unknown operating point": Case(["clip.wav", "--operating-point", "loose"], "balanced"),
    "two thresholds": Case(
        ["clip.wav", "--threshold", "0.5", "--operating-point", "balanced"], "operating"
    ),
    "wrong asr name": Case(["clip.wav", "--asr", "whisperer"], "whisperer"),
    "asr folder without a model": Case(["clip.wav", "--asr", "./folder.wav"], "folder.wav"),
    "window too long": Case(["clip.wav", "--window-floor", "31"], "--window-floor is 31"),
    "window margin nan": Case(["clip.wav", "--window-margin", "nan"], "--window-margin is nan"),
    "wrong vad": Case(["clip.wav", "--vad", "ears"], "ears"),
    "config missing": Case(["clip.wav", "--config", "nowhere.toml"], "nowhere.toml"),
    "config with an unknown key": Case(["clip.wav", "--config", "unknown.toml"], "assr"),
    "config that is no toml": Case(["clip.wav", "--config", "broken.toml"], "broken.toml"),
    "config of a wrong type": Case(["clip.wav", "--config", "wrong_type.toml"], "threshold"),
    "config of a wrong flag": Case(["clip.wav", "--config", "wrong_flag.toml"], "jsonl"),
    "config with a table": Case(["clip.wav", "--config", "table.toml"], "threshold"),
    "config out of range": Case(["clip.wav", "--config", "out_of_range.toml"], "2.5"),
    "config of bytes": Case(["clip.wav", "--config", "binary.toml"], "binary.toml"),
    "model missing": Case(["clip.wav", "--model", "nowhere"], "turbo.json"),
    "model of no json": Case(["clip.wav", "--model", "broken_json"], "turbo.json"),
    "damaged graph": Case(["clip.wav", "--model", "damaged_model.int8.onnx"], "SHA-256"),
    "damaged tokenizer": Case(["clip.wav", "--model", "damaged_tokenizer.json"], "SHA-256"),
    "model without graph": Case(["clip.wav", "--model", "no_graph"], "model.int8.onnx"),
    "model of nonsense": Case(["clip.wav", "--model", "no_sense"], "model.int8.onnx"),
    "model of a later format": Case(["clip.wav", "--model", "format9"], "format 9"),
    "model of other classes": Case(["clip.wav", "--model", "emotion"], "directed"),
}
REFUSED = [name for name, case in CASES.items() if case.says is not None]
ANSWERED = [name for name, case in CASES.items() if case.says is None]


def command(case: Case) -> list[str]:
    """Return the call of `case`, with the quick defaults where it says nothing else."""
    arguments = [sys.executable, "-m", "turbo_stream.cli.listen", *case.arguments, "--jsonl"]
    if "--asr" not in arguments and "--config" not in arguments:
        arguments += ["--asr", "none"]
    return arguments if "--model" in arguments else [*arguments, "--model", "model"]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def outcomes(folder) -> dict[str, Outcome]:
    """What each case said, by name."""

    def run(case: Case) -> Outcome:
        words = command(case)
        if case.stdin is not None:
            words = ["sh", "-c", f'exec "$@" {case.stdin}', "sh", *words]
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        return dict(zip(CASES, pool.map(run, CASES.values()), strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line_with_status_2(outcomes, name):
    status, output, errors = outcomes[name]
    assert status == 2, (output, errors)
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert events in ([], ["ready"]), "a pipe shows what it holds only when it is listened to"
    lines = errors.splitlines()
    assert len(lines) == 1, errors
    assert lines[0].startswith("turbo-listen: ")
    assert CASES[name].says in lines[0]


@pytest.mark.parametrize("name", ANSWERED)
def test_gives_the_right_answer(outcomes, name):
    status, output, errors = outcomes[name]
    assert status == 0, errors
    assert "Traceback" not in errors
    events = [json.loads(line) for line in output.splitlines()]
    assert events[0]["event"] == "ready"
    assert events[-1]["event"] == "finished"
    heard = [event for event in events if event["event"] == "utterance"]
    assert len(heard) == 1, heard
    assert heard[0]["start_s"] == pytest.approx(START_S, abs=0.3)
    assert heard[0]["end_s"] == pytest.approx(END_S, abs=0.5)
    assert heard[0]["decision"] in ("accepted", "rejected")


def test_what_is_odd_in_a_sound_is_mentioned(outcomes):
    assert "nan.wav" in outcomes["nan"].errors
    assert "opposite phase" in outcomes["opposite phase"].errors
    assert "--channel" in outcomes["opposite phase"].errors


def listen(folder, *arguments, **options):
    options.setdefault("env", environment())
    return subprocess.Popen(
        command(Case(list(arguments))),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets its background jobs ignore SIGINT, and so would what they start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        **options,
    )


@pytest.mark.parametrize("name", ["one_sample.wav", "all_nan.wav"])
def test_sound_without_speech_is_no_error(folder, name):
    with listen(folder, name) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    finished = json.loads(output.splitlines()[-1])
    assert finished["event"] == "finished"
    assert finished["utterances"] == 0


def test_a_reader_that_has_seen_enough_ends_it_quietly(folder):
    with listen(folder, "clip.wav") as process:
        assert json.loads(process.stdout.readline())["event"] == "ready"
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(60)
    assert process.returncode == 0
    assert errors == ""


def test_stdout_closed_from_the_start_ends_it_quietly(folder):
    words = ["sh", "-c", 'exec "$@" >&-', "sh", *command(Case(["clip.wav"]))]
    done = subprocess.run(
        words, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_full_disk_is_told_in_one_line_with_status_1(folder):
    words = ["sh", "-c", 'exec "$@" > /dev/full', "sh", *command(Case(["clip.wav"]))]
    done = subprocess.run(
        words, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True, timeout=60
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "No space left" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_signal_decides_what_was_heard_and_ends_with_0(folder, number, source):
    if source == "file":
        process = listen(folder, "clip.wav", "--realtime")
    else:
        process = listen(folder, "-", stdin=subprocess.PIPE)
    with process:
        assert json.loads(process.stdout.readline())["event"] == "ready"
        if source == "stdin":
            process.stdin.buffer.write((folder / "clip.raw").read_bytes()[: int(2.5 * RATE) * 2])
            process.stdin.buffer.flush()
        assert json.loads(process.stdout.readline())["event"] == "speech_started"
        process.send_signal(number)
        sent = time.monotonic()
        events = [json.loads(line) for line in process.stdout]
        errors = process.stderr.read()
        process.wait(60)
    assert process.returncode == 0, errors
    assert time.monotonic() - sent < 10
    assert [event["event"] for event in events] == ["utterance", "finished"]
    assert errors == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_while_loading_ends_with_0(folder, tmp_path, number):
    os.mkfifo(pipe := tmp_path / "pipe")
    # Stands for a library that takes long to load: it waits for what nobody writes.
    (tmp_path / "tokenizers.py").write_text(f"open({str(pipe)!r}).read()\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{env['PYTHONPATH']}"
    with (
        listen(folder, "clip.wav", env=env) as process,
        pipe.open("w"),  # opens only once somebody wants to read
    ):
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output == ""
    assert "Traceback" not in errors
