"""`turbo-serve --wyoming stdio://`: one client, by pipes, and nothing else on them."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")

from wyoming.event import read_event, write_event
from wyoming.info import Describe

from tests.serving.wyoming.conftest import SMALL_WHISPER
from tests.serving.wyoming.wyoming_client import request, text

# A library that prints, in Python and below it, has to end up on standard error.
CODE = f"""
import os, sys
from turbo_stream.cli import serve
from turbo_stream.pipeline import Models

load = Models.load

def noisy_load(*args, **kwargs):
    print("printed by a library")
    os.write(1, b"written by another")
    return load(*args, **kwargs)

Models.load = noisy_load
sys.argv = ["turbo-serve", "--asr", {str(SMALL_WHISPER)!r}, "--wyoming", "stdio://"]
serve.main()
"""


@pytest.mark.slow
def test_a_client_on_pipes_is_served_until_it_closes_them(kitchen_pcm: np.ndarray) -> None:
    asked = io.BytesIO()
    for event in (
        Describe().event(),
        *request(kitchen_pcm[4 * 16_000 : 8 * 16_000]),
        *request(kitchen_pcm[: 4 * 16_000]),
    ):
        write_event(event, asked)
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=asked.getvalue(), capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    answers = io.BytesIO(done.stdout)
    events = []
    while (event := read_event(answers)) is not None:
        events.append(event)
    assert answers.read() == b"", "nothing but events"
    assert events[0].type == "info"
    first = next(i for i, event in enumerate(events) if event.type == "transcript")
    assert text(events[: first + 1]) == ""
    assert text(events[first + 1 :]) == "Turn on the kitchen lights."
    said = done.stderr.decode()
    assert "printed by a library" in said and "written by another" in said
    assert "listening on" not in said and "Traceback" not in said


@pytest.mark.slow
def test_files_instead_of_pipes_are_told_in_one_line(tmp_path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    command = [sys.executable, "-m", "turbo_stream.cli.serve", "--wyoming", "stdio://"]
    with empty.open("rb") as stdin:
        done = subprocess.run(
            [*command, "--asr", str(SMALL_WHISPER)], stdin=stdin, capture_output=True, timeout=120
        )
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 2 and "give pipes" in last, done.stderr.decode()
    assert json.dumps(done.stdout.decode()) == '""'
