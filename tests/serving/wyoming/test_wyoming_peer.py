"""The same client against this server and wyoming-faster-whisper: the same answers, in order."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")
pytest.importorskip("wyoming_faster_whisper", reason="needs the test extra")

from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Info

from tests.serving.wyoming.conftest import SMALL_WHISPER
from tests.serving.wyoming.running_service import running
from tests.serving.wyoming.wyoming_client import ask, information, kinds, request, text

pytestmark = pytest.mark.slow

ROOM = 16_000 * 4


@contextmanager
def peer(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, str(Path(__file__).with_name("six_second_peer.py")), "--uri", uri]
    command += ["--model", str(SMALL_WHISPER), "--data-dir", str(folder), "--language", "en"]
    command += ["--stt-library", "faster-whisper", "--local-files-only", "--cpu-threads", "1"]
    log = folder / "peer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
    try:
        gives_up_s = time.monotonic() + 120
        while "Ready" not in log.read_text():
            assert process.poll() is None and time.monotonic() < gives_up_s, log.read_text()
            time.sleep(0.05)
        yield uri
    finally:
        process.kill()
        process.wait()


def answers(uri: str, pcm: np.ndarray) -> dict[str, list[Event]]:
    """Return what a server says to each of several clients, to the end of their connections."""
    cases = {
        "command": request(pcm),
        "without transcribe": request(pcm)[1:],
        "without start": request(pcm)[2:],
        "no audio": [AudioStart(16_000, 2, 1).event(), AudioStop().event()],
        "stop alone": [AudioStop().event()],
        "unknown event": [Event("play-chess", {"move": "e4"}), *request(pcm)],
        "broken": [Event("x" * 100_000)],
    }

    async def ask_all() -> list[list[Event]]:
        return await asyncio.gather(*(ask(uri, events, until=None) for events in cases.values()))

    return dict(zip(cases, asyncio.run(ask_all()), strict=True))


def test_both_servers_answer_with_the_same_events(listener, kitchen_pcm, tmp_path) -> None:
    command = kitchen_pcm[:ROOM]
    with running(listener) as server, peer(tmp_path) as peer_uri:
        ours, theirs = answers(server.uri, command), answers(peer_uri, command)
        our_info, their_info = (
            Info.from_event(asyncio.run(information(uri))) for uri in (server.uri, peer_uri)
        )
    assert {case: kinds(events) for case, events in ours.items()} == {
        case: kinds(events) for case, events in theirs.items()
    }
    assert text(ours["command"]) == "Turn on the kitchen lights."
    # What the peer's settings make of so small a model is nothing to compare with.
    assert text(theirs["command"]).strip()
    # The one thing we say more.
    assert kinds(ours["command"], without="transcript") == ["voice-started", "voice-stopped"]
    assert not kinds(theirs["command"], without="transcript")
    for info in (our_info, their_info):
        (program,) = info.asr
        assert program.installed and program.version and "en" in program.models[0].languages
        assert program.requires_external_vad and not program.supports_transcript_streaming
