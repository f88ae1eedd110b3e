"""How often exactly one of three rooms answers, and how long they take to agree on it.

python -m tools.measurements.rooms --rounds 50 --out DIR

Three servers, with a Whisper of the tests, hear one command at 0, -9 and -18 dB, each
in noise of its own, over a Mosquitto of this machine. Then again with the loudest killed at its
claim, and with the broker killed. Writes `DIR/rooms.json`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.progress import track

from tools.measurements.rooms.room_servers import Ear, RoomServer, as_heard, hear, until
from turbo_stream.cli.command import run_command
from turbo_stream.errors import TurboStreamError

KITCHEN = Path(__file__).resolve().parents[3] / "examples" / "kitchen.flac"
SPOKEN_S = (0.5, 3.6)
ROOMS = ("attic", "bedroom", "kitchen")
LEVELS_DB = (0.0, -9.0, -18.0)


@contextmanager
def mosquitto(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker; it is killed at the end."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        lines = (f"listener {port} 127.0.0.1", "allow_anonymous true", "user root", "")
        config.write_text("\n".join(lines), "utf-8")
        process = subprocess.Popen(
            ["mosquitto", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.5)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


class House:
    """Three rooms, and one sentence that is loudest in another of them each time."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.random = np.random.default_rng(seed)
        pcm, _ = soundfile.read(KITCHEN, dtype="int16")
        self.spoken: NDArray[np.int16] = pcm[slice(*(round(16_000 * s) for s in SPOKEN_S))]
        self.servers: dict[str, RoomServer] = {}

    def start(self, stack: ExitStack, ear: Ear) -> None:
        """Start the rooms that do not run."""
        for room in ROOMS:
            if room not in self.servers:
                self.servers[room] = stack.enter_context(RoomServer(room, self.port))
        until(lambda: ear.connected >= set(ROOMS), wait_s=300)

    def hear(self, levels_db: dict[str, float]) -> dict[str, dict[str, Any] | None]:
        """Return what each room said of the sentence, None where it died."""
        sounds = [as_heard(self.spoken, level_db, self.random) for level_db in levels_db.values()]
        heard = hear([self.servers[room] for room in levels_db], sounds)
        return {room: events[0] if events else None for room, events in heard.items()}

    def levels_db(self) -> dict[str, float]:
        """Return levels of the rooms, as drawn."""
        return dict(zip(ROOMS, map(float, self.random.permutation(LEVELS_DB)), strict=True))


def one_round(house: House, ear: Ear, *, kill: bool) -> dict[str, Any]:
    """Return what became of the sentence, once."""
    ear.heard.clear()
    levels_db = house.levels_db()
    loudest = max(levels_db, key=lambda room: levels_db[room])
    killed = [False]

    def look(body: dict[str, Any]) -> None:
        if kill and body["kind"] == "claim" and body["room"] == loudest:
            house.servers[loudest].kill()
            killed[0] = not ear.kinds("take")

    ear.on_message = look
    events = house.hear(levels_db)
    said = {room: event for room, event in events.items() if event is not None}
    accepted = {room: event for room, event in said.items() if event["decision"] == "accepted"}
    acted = [room for room, event in accepted.items() if "answered_by" not in event]
    claimed_s = [at_s for at_s, body in ear.heard if body["kind"] == "claim"]
    if kill:
        del house.servers[loudest]
        until(lambda: loudest not in ear.connected)
    return {
        "loudest": loudest,
        "killed_before_any_take": killed[0],
        "took": [body["room"] for body in ear.kinds("take")],
        "done": [body["room"] for body in ear.kinds("done")],
        "claims": len(claimed_s),
        "claims_within_ms": 1000 * (max(claimed_s) - min(claimed_s)) if claimed_s else None,
        "accepted": sorted(accepted),
        "acted": acted,
        "yielded": sorted(room for room in accepted if room not in acted),
        "over_noise_db": {room: event.get("over_noise_db") for room, event in said.items()},
        "agreement_ms": {
            room: event["latency_ms"].get("agreement") for room, event in accepted.items()
        },
    }


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of rounds in which somebody accepted."""
    rounds = [one for one in rounds if one["claims"] or one["accepted"]]

    def percentiles(values: list[float]) -> dict[str, float]:
        found = np.percentile(values, [50, 95, 100]) if values else [float("nan")] * 3
        return dict(zip(("p50", "p95", "max"), (round(float(v), 1) for v in found), strict=True))

    actor = [one["agreement_ms"][room] for one in rounds for room in one["acted"]]
    yielded = [one["agreement_ms"][room] for one in rounds for room in one["yielded"]]
    counts = [len(one["acted"]) for one in rounds]
    return {
        "rounds": len(rounds),
        "acted": {str(n): counts.count(n) for n in sorted({0, 1, *counts})},
        "loudest_acted": sum(one["acted"] == [one["loudest"]] for one in rounds),
        "killed_before_any_take": sum(one["killed_before_any_take"] for one in rounds),
        "actor_waited_ms": percentiles(actor),
        "others_waited_ms": percentiles(yielded),
        "claims_within_ms": percentiles(
            [one["claims_within_ms"] for one in rounds if one["claims"] > 1]
        ),
    }


@click.command("tools.measurements.rooms", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(1), default=50, help="With all alive.")
@click.option("--deaths", type=click.IntRange(0), default=10, help="With the loudest killed.")
@click.option("--alone", type=click.IntRange(0), default=5, help="With the broker killed.")
@click.option("--port", type=int, default=18_830, help="Of the broker.")
@click.option("--seed", type=int, default=1)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(rounds: int, deaths: int, alone: int, port: int, seed: int, out: Path) -> None:
    """Let three servers hear one sentence, again and again; count who answers."""
    found: dict[str, list[dict[str, Any]]] = {
        "all alive": [],
        "loudest killed": [],
        "no broker": [],
    }
    house = House(port, seed)
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(port))
        ear = stack.enter_context(Ear(port))
        house.start(stack, ear)
        for number in track(range(rounds + deaths + alone), "rounds"):
            kind = "all alive"
            if number >= rounds:
                house.start(stack, ear)
                kind = "loudest killed" if number < rounds + deaths else "no broker"
            if kind == "no broker":
                broker.kill()
            found[kind].append(one_round(house, ear, kill=kind == "loudest killed"))
            figures = {name: summary(those) for name, those in found.items() if those}
            (out / "rooms.json").write_text(json.dumps([figures, found], indent=1), "utf-8")
    if not figures:
        raise TurboStreamError("nothing was measured")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    sys.exit(run_command(main))
