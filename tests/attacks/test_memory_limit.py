"""The server under the memory limit of the unit: many streams and hostile uploads at once."""

import asyncio
import json
import re
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from websockets.asyncio.client import connect

from tests.support.odd_sound import sound_beside_a_picture, wav
from tests.support.paths import KITCHEN, ROOT
from tests.support.server_process import serving
from turbo_stream.serving.limits import Limits

LIMIT = 1 << 30
"""`MemoryMax` of deploy/turbo-serve.service."""

STACK = 512 << 10
"""Of a thread: the limit counts what is reserved, the unit's what is touched."""

LONGEST = Limits().file_bytes - 1_000

HOSTILE = [
    lambda: wav(1024, 1_000_000, bits=8, size=LONGEST),
    lambda: wav(1024, 48_000, size=LONGEST),
    lambda: wav(132, 1_000_000, size=LONGEST, said=0),
    lambda: wav(64, 262_144, bits=8, size=LONGEST),
    lambda: wav(64, 262_144, bits=8, size=LONGEST, said=0),
    lambda: wav(2, 1_000_000, size=LONGEST),
    lambda: sound_beside_a_picture(12_000),
]
"""Uploads that took hundreds of MB to read, and the largest that are allowed."""


def limited() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, LIMIT))


def memory(pid: int) -> int:
    """Return the bytes that a process and its children hold, shared ones by their share."""
    processes, held = [pid], 0
    for one in processes:
        # A child may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                processes += map(int, (task / "children").read_text().split())
        with suppress(FileNotFoundError, ProcessLookupError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            held += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return held << 10


async def stream(port: int, pcm: np.ndarray, lasts_s: float) -> list[str]:
    """Send sound as a microphone does; return the names of the events."""
    async with connect(f"ws://127.0.0.1:{port}/ws", compression=None, open_timeout=60) as client:

        async def send() -> None:
            for step in range(int(lasts_s * 10)):
                await client.send(pcm[1_600 * step : 1_600 * (step + 1)].tobytes())
                await asyncio.sleep(0.1)
            await client.send('{"type":"end"}')

        sender = asyncio.create_task(send())
        names = [json.loads(message)["event"] async for message in client]
        await sender
    return names


async def siege(port: int, pid: int, uploads: list[bytes], pcm: np.ndarray) -> int:
    """Stream with all the clients there may be while `uploads` come in; return the peak."""
    starts = np.linspace(0, len(pcm) - 80_000, Limits().clients).astype(int)
    clients = [asyncio.create_task(stream(port, pcm[start:], 3)) for start in starts]
    url = f"http://127.0.0.1:{port}"
    peak = 0
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        await asyncio.sleep(1)
        sent = [asyncio.create_task(http.post("/v1/classify", content=one)) for one in uploads]
        while not all(task.done() for task in (*clients, *sent)):
            assert (await http.get("/healthz")).status_code == 200
            peak = max(peak, await asyncio.to_thread(memory, pid))
            await asyncio.sleep(0.1)
        for answer in await asyncio.gather(*sent):
            assert answer.status_code in (200, 400, 413, 429), answer.text
        for names in await asyncio.gather(*clients):
            assert names[-1] == "finished"
    assert (await stream(port, pcm, 1))[-1] == "finished", "a new stream works afterwards"
    return peak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc, and sets a limit of Linux")
def test_hostile_uploads_beside_all_clients_stay_within_the_limit(attack) -> None:
    assert "MemoryMax=1G" in (ROOT / "deploy" / "turbo-serve.service").read_text("utf-8")
    pcm, _ = soundfile.read(KITCHEN, dtype="int16")
    with serving("--asr", "pocketsphinx", preexec_fn=limited) as server:
        server.said("ready")
        for chance in attack.inputs(at_least=1):
            # The worst is always there.
            uploads = [HOSTILE[0](), HOSTILE[int(chance.integers(len(HOSTILE)))]()]
            peak = asyncio.run(siege(server.port, server.process.pid, uploads, pcm))
            print(f"{peak >> 20} MiB")
            assert peak < LIMIT * 0.75, f"{peak >> 20} MiB"
            assert server.process.poll() is None
        assert "Traceback" not in server.errors, server.errors
