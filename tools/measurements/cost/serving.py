"""How soon many WebSocket clients of one turbo-serve hear its decisions, as JSON.

python -m tools.measurements.cost.serving --clients 50

Starts the server as a user does, and plays each client a recording at its own pace, each begun at
another place. None may be lost: a client is `lost` whose stream did not end with `finished`. What
the server gave up under load stands in `degraded` and `dropped`. `response_ms` is from the moment
the last sample of an utterance was sent until its decision came back over the socket.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import websockets

from turbo_stream._util.timebase import SAMPLE_RATE, ms_to_samples
from turbo_stream.audio.file import FileSource
from turbo_stream.benchmark.machine import load_average, machine, peak_resident_mb, resident_mb
from turbo_stream.benchmark.report import distribution
from turbo_stream.cli.command import run_command


@dataclass
class Heard:
    """What one client was told."""

    events: list[dict[str, Any]] = field(default_factory=list)
    response_ms: list[float] = field(default_factory=list)
    behind_s: float = 0.0
    """How much later than by the clock the last frame was taken."""

    close_code: int | None = None

    @property
    def lost(self) -> bool:
        """Whether the stream broke off."""
        ended = bool(self.events) and self.events[-1]["event"] == "finished"
        return not ended or self.close_code != 1000


@click.command("tools.measurements.cost.serving", help=__doc__)
@click.option("--clients", type=int, default=50, show_default=True)
@click.option("--seconds", type=float, default=60.0, show_default=True)
@click.option("--frame-ms", type=float, default=100.0, show_default=True)
@click.option("--sound", default="examples/kitchen.flac", show_default=True)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(
    clients: int, seconds: float, frame_ms: float, sound: str, options: tuple[str, ...]
) -> None:
    """Measure a server with turbo-serve's OPTIONS (after --), and print JSON."""
    pcm = np.concatenate([block.pcm for block in FileSource(sound)])  # type: ignore[union-attr]
    command = [sys.executable, "-m", "turbo_stream.cli.serve", "--port", "0", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = _port(server)
        idle_mb, idle_threads = resident_mb(server.pid), _threads(server.pid)
        cpu_from_s, started_s = _cpu_s(server.pid), time.perf_counter()
        watched = _Watched(server.pid)
        heard = asyncio.run(_crowd(port, pcm, clients, seconds, ms_to_samples(frame_ms)))
        wall_s, cpu_s = time.perf_counter() - started_s, _cpu_s(server.pid) - cpu_from_s
        watched.close()
        peak_mb, after_mb = peak_resident_mb(server.pid), resident_mb(server.pid)
        threads_after = _threads(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
    decided = [e for h in heard for e in h.events if e["event"] == "utterance"]
    waited = [e["latency_ms"].get("endpoint_to_decision", 0) for e in decided if e["latency_ms"]]
    found = {
        "clients": clients,
        "seconds": wall_s,
        "lost": sum(h.lost for h in heard),
        "lost_samples": sum(h.events[-1].get("lost_samples", 0) for h in heard if not h.lost),
        "utterances": len(decided),
        "decisions": Counter(e["decision"] for e in decided),
        "degraded": Counter(step for e in decided for step in e["degraded"]),
        "dropped": Counter(e["reason"] for e in decided if e["decision"] == "dropped"),
        "partials": sum(e["event"] == "partial" for h in heard for e in h.events),
        "speculation": _speculation(heard),
        "endpoint_to_decision_ms": distribution(waited),
        "response_ms": distribution([ms for h in heard for ms in h.response_ms]),
        "behind_s": distribution([h.behind_s for h in heard]),
        "server_cores": cpu_s / wall_s,
        "threads": {"idle": idle_threads, "most": watched.most_threads, "after": threads_after},
        "resident_mb": {"idle": idle_mb, "peak": peak_mb, "after": after_mb},
        "exit_status": status,
        "load_average_after": load_average(),
        "machine": machine(),
    }
    print(json.dumps(found, indent=2))


async def _crowd(
    port: int, pcm: np.ndarray, clients: int, seconds: float, frame: int
) -> list[Heard]:
    turned = [np.roll(pcm, -i * len(pcm) // clients) for i in range(clients)]
    sounds = [np.resize(one, round(seconds * SAMPLE_RATE)) for one in turned]
    return await asyncio.gather(*(_client(port, one, frame) for one in sounds))


async def _client(port: int, pcm: np.ndarray, frame: int) -> Heard:
    heard = Heard()
    connection = websockets.connect(f"ws://127.0.0.1:{port}/ws", compression=None, open_timeout=60)
    async with connection as socket:
        heard.events.append(json.loads(await socket.recv()))
        started_s = time.perf_counter()

        async def send() -> None:
            for start in range(0, len(pcm), frame):
                due_s = started_s + (start + frame) / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
                await socket.send(pcm[start : start + frame].tobytes())
            heard.behind_s = time.perf_counter() - started_s - len(pcm) / SAMPLE_RATE
            await socket.send('{"type":"end"}')

        sending = asyncio.create_task(send())
        try:
            async for message in socket:
                event = json.loads(message)
                heard.events.append(event)
                if event["event"] == "utterance":
                    said_s = started_s + event["end_s"]
                    heard.response_ms.append(1000 * (time.perf_counter() - said_s))
        except websockets.ConnectionClosed:
            pass
        sending.cancel()
        heard.close_code = socket.close_code
    return heard


class _Watched:
    """Counts the threads of a process while it works."""

    def __init__(self, process: int) -> None:
        self.most_threads = 0
        self._over = threading.Event()
        self._process = process
        threading.Thread(target=self._count, daemon=True).start()

    def close(self) -> None:
        self._over.set()

    def _count(self) -> None:
        while not self._over.wait(0.5):
            self.most_threads = max(self.most_threads, _threads(self._process))


def _port(server: subprocess.Popen[str]) -> int:
    assert server.stderr is not None
    port = None
    for line in server.stderr:
        print(line, end="", file=sys.stderr)
        if found := re.search(r"listening on \S+:(\d+)", line):
            port = int(found[1])
        if "ready:" in line and port is not None:
            return port
    raise click.ClickException("turbo-serve did not begin to serve")


def _speculation(heard: list[Heard]) -> dict[str, float]:
    """Return the sums of what judging ahead cost all clients."""
    totals: Counter[str] = Counter()
    for one in heard:
        totals.update(one.events[-1].get("speculation", {}))
    return dict(totals)


def _threads(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def _cpu_s(process: int) -> float:
    """Return the processor time of `process` so far, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(run_command(main))
