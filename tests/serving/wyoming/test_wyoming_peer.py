"""The same client against this server and wyoming-faster-whisper: the same answers, in order."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")
pytest.importorskip("wyoming_faster_whisper", reason="needs the test extra")

from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Describe, Info

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


def raw(kind: object, data: object, payload: bytes = b"", **more: object) -> bytes:
    """Return an event as clients write it that do without the library."""
    head = {"type": kind, "data": data, "payload_length": len(payload) or None, **more}
    return json.dumps(head).encode() + b"\n" + payload


def odd_orders(pcm: np.ndarray) -> dict[str, list[Event | bytes]]:
    """Return what clients send that do not keep to the order of the book, or leave fields out."""
    transcribe, start, *chunks, stop = request(pcm)
    whole = {"rate": 16_000, "width": 2, "channels": 1}
    sound = pcm.tobytes()

    def one_chunk(**changes: object) -> bytes:
        return raw("audio-chunk", {**whole, **changes}, sound)

    def without(field: str) -> bytes:
        return raw("audio-chunk", {k: v for k, v in whole.items() if k != field}, sound)

    return {
        "start within audio": [transcribe, start, *chunks[:20], start, *chunks[20:], stop],
        "a take again": [transcribe, start, *chunks, transcribe, start, *chunks, stop],
        "start twice": [transcribe, start, start, *chunks, stop],
        "transcribe late": [start, *chunks, transcribe, stop],
        "transcribe twice": [transcribe, transcribe, start, *chunks, stop],
        "chunk before start": [chunks[0], start, *chunks[1:], stop],
        "two stops": [transcribe, start, *chunks, stop, stop],
        "describe within audio": [start, *chunks[:9], Describe().event(), *chunks[9:], stop],
        "null describe": [raw("describe", None)],
        "list describe": [raw("describe", [1])],
        "null everywhere": [
            *(raw("transcribe", None), raw("audio-start", None), *chunks, raw("audio-stop", None)),
        ],
        "null fields": [
            raw("transcribe", {"language": None, "name": None}),
            raw("audio-start", dict.fromkeys(whole)),
            one_chunk(timestamp=None),
            raw("audio-stop", {"timestamp": None}),
        ],
        "start without fields": [raw("audio-start", {}), one_chunk(), stop],
        "odd times": [raw("audio-start", {"timestamp": "5"}), one_chunk(timestamp=5.5), stop],
        "floats": [one_chunk(rate=16_000.0, width=2.0, channels=1.0), stop],
        "another version": [
            raw("transcribe", {"context": {"a": [1]}}, version="99"),
            *chunks,
            stop,
        ],
        "no kind of ours": [raw(7, None), raw(None, {}), raw("", [1]), raw("Describe", {}), *chunks]
        + [raw("play-chess", None, b"board"), stop],
        "sound with start": [raw("audio-start", whole, sound), stop],
        "no sound in chunk": [raw("audio-chunk", whole), stop],
        "only start": [start],
        "no rate": [without("rate"), stop],
        "no channels": [without("channels"), stop],
        "null width": [one_chunk(width=None), stop],
        "null chunk": [raw("audio-chunk", None, sound), stop],
        "rate in words": [one_chunk(rate="16000"), stop],
        "no type": [b'{"data": {}}\n', stop],
        "empty line": [b"\n", stop],
        "half an event": [transcribe, start, *chunks, one_chunk()[:-100]],
    }


async def speak(uri: str, sent: list[Event | bytes]) -> list[Event]:
    """Send `sent`, then no more; return what comes back until the server closes."""
    host, _, port = uri.removeprefix("tcp://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    said: list[Event] = []
    with suppress(OSError):  # a server that has heard enough does not read the rest
        for item in sent:
            if isinstance(item, Event):
                await async_write_event(item, writer)
            else:
                writer.write(item)
                await writer.drain()
        writer.write_eof()
    with suppress(OSError):
        async with asyncio.timeout(60):
            while (event := await async_read_event(reader)) is not None:
                said.append(event)
    writer.close()
    return said


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
        assert program.requires_external_vad
    # And that it comes piece by piece.
    assert our_info.asr[0].supports_transcript_streaming


def test_odd_orders_and_missing_fields_are_answered_alike(listener, kitchen_pcm, tmp_path) -> None:
    command = kitchen_pcm[:ROOM]
    cases = odd_orders(command)

    async def ask_all(uri: str) -> list[list[Event]]:
        return [await speak(uri, sent) for sent in cases.values()]

    with running(listener) as server, peer(tmp_path) as peer_uri:
        ours = dict(zip(cases, asyncio.run(ask_all(server.uri)), strict=True))
        theirs = dict(zip(cases, asyncio.run(ask_all(peer_uri)), strict=True))
        for case in cases:
            for _ in range(2):
                if not differ(ours[case], theirs[case]):
                    break
                # It answers now and then before all of the sound has reached its recognizer. We
                # are asked once: what we say has to be what it says at its best.
                theirs[case] = asyncio.run(speak(peer_uri, cases[case]))
    # Where the other server hangs up without a word, on a chunk it cannot read, we say why.
    explained = {case for case, events in ours.items() if "error" in kinds(events)}
    assert explained == {"no rate", "no channels", "null width", "null chunk", "rate in words"}
    assert not {case: kinds(theirs[case]) for case in cases if differ(ours[case], theirs[case])}
    assert text(ours["start within audio"]) == "Turn on the kitchen lights."
    assert text(ours["a take again"]) == " ".join(2 * ["Turn on the kitchen lights."])


def differ(ours: list[Event], theirs: list[Event]) -> bool:
    """Return whether two servers said different things, but for an error that we explain."""
    said = kinds(ours, "error") if "error" in kinds(ours) else kinds(ours)
    if said != kinds(theirs):
        return True
    return kinds(theirs) == ["transcript"] and bool(text(theirs).strip()) != bool(text(ours))
