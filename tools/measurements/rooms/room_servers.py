"""`turbo-serve` for each of several rooms of a house, each in a process, and what they hear."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from numpy.typing import NDArray
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from turbo_stream._util.closing import Closing

ROOT = Path(__file__).resolve().parents[3]
WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
HOUSE = "home"
_FRAME = 1600
_START_S = 120.0


class RoomServer(Closing):
    """One process; `room` is its `--mqtt-node`."""

    def __init__(self, room: str, broker_port: int, *options: str) -> None:
        self.room = room
        command = [sys.executable, "-m", "turbo_stream.cli.serve", "--port", "0"]
        command += ["--asr", str(WHISPER), "--mqtt", f"mqtt://127.0.0.1:{broker_port}"]
        command += ["--mqtt-node", room, "--mqtt-discovery", "none", "--house", HOUSE, *options]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self, pattern: str) -> re.Match[str]:
        """Return where `pattern` was said on standard error, once it is."""
        until_s = time.monotonic() + _START_S
        while (found := re.search(pattern, self.said)) is None:
            if time.monotonic() > until_s or not self._reader.is_alive():
                raise RuntimeError(f"{self.room} never said {pattern!r}: {self.said}")
            time.sleep(0.02)
        return found

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    def close(self) -> None:
        """End it, and hear it out."""
        self.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line


class Ear(Closing):
    """Hears what the rooms tell each other."""

    def __init__(self, broker_port: int) -> None:
        self.heard: list[tuple[float, dict[str, Any]]] = []
        """When, by `time.monotonic`, and what."""
        self.connected: set[str] = set()
        """Rooms whose state is retained or was published."""
        self.on_message: Callable[[dict[str, Any]], None] = lambda body: None
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("turbo_stream/#")
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", broker_port)
        self._client.loop_start()

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of that kind, in order."""
        return [body for _, body in list(self.heard) if body["kind"] == kind]

    def close(self) -> None:
        """Hear nothing more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        match message.topic.split("/"):
            case [_, "house", name, "claims"] if name == HOUSE:
                body = json.loads(message.payload)
                self.heard.append((time.monotonic(), body))
                self.on_message(body)
            case [_, room, "state"] if b"unavailable" not in message.payload:
                self.connected.add(room)
            case [_, room, "state"]:
                self.connected.discard(room)


def until(condition: Callable[[], bool], *, wait_s: float = 60.0) -> None:
    """Wait for `condition`; RuntimeError if it does not come."""
    gives_up_s = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > gives_up_s:
            raise RuntimeError(f"waited {wait_s} s in vain")
        time.sleep(0.01)


def as_heard(
    pcm: NDArray[np.int16], level_db: float, random: np.random.Generator
) -> NDArray[np.int16]:
    """Return `pcm`, `[N]`, at `level_db` in noise of its own at -60 dB of full scale."""
    noise = random.normal(0, 32768 * 10 ** (-60 / 20), len(pcm))
    sound = pcm * 10 ** (level_db / 20) + noise
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def hear(
    servers: Sequence[RoomServer], sounds: Iterable[NDArray[np.int16]]
) -> dict[str, list[dict[str, Any]]]:
    """Let each server hear its sound by the clock, all at once; return utterances by room.

    Of one that dies meanwhile those so far.
    """

    async def all_rooms() -> list[list[dict[str, Any]]]:
        pairs = zip(servers, sounds, strict=True)
        return await asyncio.gather(*(_hear(server, pcm) for server, pcm in pairs))

    found = asyncio.run(all_rooms())
    return {server.room: events for server, events in zip(servers, found, strict=True)}


async def _hear(server: RoomServer, pcm: NDArray[np.int16]) -> list[dict[str, Any]]:
    port = server.wait(r"listening on http://127.0.0.1:(\d+)")[1]
    events: list[dict[str, Any]] = []
    try:
        async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as client:
            sending = asyncio.create_task(_send(client, pcm))
            async for message in client:
                event = json.loads(message)
                if event["event"] == "utterance":
                    events.append(event)
            await sending
    except (ConnectionClosed, OSError):
        pass  # it was killed
    return events


async def _send(client: Any, pcm: NDArray[np.int16]) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for start in range(0, len(pcm), _FRAME):
        await asyncio.sleep(began_s + start / 16_000 - loop.time())
        await client.send(pcm[start : start + _FRAME].astype("<i2").tobytes())
    await client.send('{"type":"end"}')
