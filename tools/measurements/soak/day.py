"""Whether a day of sound leaves everything as it was: memory, files, threads, latency, accounts.

python -m tools.measurements.soak.day --out DIR [--hours 24] [--asr pocketsphinx]

Mixed sound (speech, a television, noise, tones, clipping, silence; now and then the device itself
plays, there is a gap, or the source comes back) goes through the shipped models and the live shell
as fast as it is decided. `samples.jsonl` gets a line each half hour of sound, `summary.json` what
they say; status 1 where a promise was not kept. Of memory, fewer than six hours say little.
`--asr tests/assets/whisper-kitchen` is ten times as fast as PocketSphinx.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from tools.measurements.soak.figures import judged
from tools.measurements.soak.mixed_sound import piece, with_echo
from turbo_stream import Finished, GapReported, LivePipeline, Pipeline, SpeechStarted, Utterance
from turbo_stream._util.timebase import SAMPLE_RATE, to_seconds
from turbo_stream.audio.source import Block, Connection, Gap, SourceItem
from turbo_stream.benchmark.machine import machine, resident_mb
from turbo_stream.benchmark.sound.material import read_material
from turbo_stream.cli.command import run_command
from turbo_stream.events import Event

_PIECE_S = 30.0
_PIECES_BETWEEN_GAPS = 40
_DEVICE_PLAYS = 0.1
_LONGEST_DECISION_S = 60.0


class Day:
    """The sound of a day, in no hurry and no slower than it is decided; notes how things are."""

    live = True

    def __init__(self, hours: float, every_h: float, seed: int = 0) -> None:
        self.samples: list[dict[str, Any]] = []
        self.fed = self.lost = 0
        self.started, self.decided, self.out_of_order = 0, Counter[str](), 0
        self.spoken_over = 0
        """Utterances over what the device played."""
        self._pieces = max(1, round(hours * 3600 / _PIECE_S))
        self._every = max(1, round(every_h * 3600 / _PIECE_S))
        self._seed = seed
        self._recording = read_material([], seconds=60.0).streams[0].pcm
        self._changed = threading.Condition()
        self._latencies_ms: list[float] = []
        self._last_end_s = 0.0
        self._closed = False
        self._begun_s = time.monotonic()

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield blocks of many sizes, and what interrupts them."""
        for number in range(self._pieces):
            rng = np.random.default_rng([self._seed, number])
            if number % _PIECES_BETWEEN_GAPS == _PIECES_BETWEEN_GAPS - 1:
                yield from self._interrupted(rng)
            pcm, played, start = piece(self._recording, _PIECE_S, rng), None, 0
            if rng.random() < _DEVICE_PLAYS:
                played = piece(self._recording, _PIECE_S, rng)
                pcm = with_echo(pcm, played)
            while start < len(pcm):
                part = slice(start, start + int(rng.integers(160, 8000)))
                block = Block(pcm[part], None if played is None else played[part])
                self.fed += len(block.pcm)
                start += len(block.pcm)
                yield block
                self._wait_for_decisions()
                if self._closed:
                    return
            if (number + 1) % self._every == 0:
                self._sample()

    def close(self) -> None:
        """End the sound."""
        self._closed = True

    def note(self, event: Event) -> None:
        """Enter `event`, which was made of this sound, into the accounts."""
        json.dumps(event.to_json(), allow_nan=False)
        with self._changed:
            match event:
                case SpeechStarted():
                    self.out_of_order += event.id != self.started
                    self.started += 1
                case Utterance():
                    self.out_of_order += event.id != sum(self.decided.values())
                    self.out_of_order += not self._last_end_s <= event.start_s < event.end_s
                    self._last_end_s = event.end_s
                    self.decided[event.decision] += 1
                    self.spoken_over += bool(event.barge_in)
                    latency_ms = event.latency_ms.get("endpoint_to_decision")
                    if latency_ms is not None:
                        self._latencies_ms.append(latency_ms)
                case GapReported():
                    self.lost += event.lost_samples
            self._changed.notify()

    def accounts(self, finished: Finished) -> dict[str, bool]:
        """Return whether each account is exact."""
        total = sum(self.decided.values())
        by_kind = {"accepted": finished.accepted, "rejected": finished.rejected}
        return {
            "one_terminal_event_each": self.started == total and not self.out_of_order,
            "decisions": finished.utterances == total
            and {**by_kind, "dropped": finished.dropped}
            == {kind: self.decided[kind] for kind in (*by_kind, "dropped")},
            "samples_heard": round(finished.audio_s * SAMPLE_RATE) == self.fed,
            "samples_lost": finished.lost_samples == self.lost,
            "speech_and_silence": abs(finished.speech_s + finished.silence_s - finished.audio_s)
            < 1 / SAMPLE_RATE,
        }

    def _interrupted(self, rng: np.random.Generator) -> Iterator[SourceItem]:
        yield Gap(int(rng.integers(1, 40_000)), "soak")
        if rng.random() < 0.5:
            yield Connection("reconnecting", "soak")
            yield Connection("active", "soak")

    def _wait_for_decisions(self) -> None:
        """Wait while two utterances are open: one that is spoken, and one that is decided."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self.started - sum(self.decided.values()) < 2,
                _LONGEST_DECISION_S,
            )

    def _sample(self) -> None:
        with self._changed:
            latencies, self._latencies_ms = self._latencies_ms, []
        self.samples.append(
            {
                "hours": to_seconds(self.fed) / 3600,
                "after_s": round(time.monotonic() - self._begun_s, 1),
                "resident_mb": resident_mb(),
                "children_mb": _children_mb(),
                "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
                "threads": sum(1 for _ in Path("/proc/self/task").iterdir()),
                "utterances": sum(self.decided.values()),
                "latency_ms": median(latencies) if latencies else None,
                "load_average": os.getloadavg()[0],
            }
        )


def _children_mb() -> float:
    """Return the resident memory of PocketSphinx's process, if there is one, in MiB."""
    listed = Path("/proc/self/task").glob("*/children")
    processes = [int(process) for path in listed for process in path.read_text().split()]
    return sum(resident_mb(process) or 0.0 for process in processes)


def soak(
    pipeline: Pipeline, hours: float, *, every_h: float = 0.5, out: Path | None = None
) -> dict[str, Any]:
    """Let `pipeline` hear `hours` of sound; return what came of it, and write it to `out`."""
    day, written = Day(hours, every_h), 0
    finished: Finished | None = None
    for event in LivePipeline(pipeline, day).run():
        day.note(event)
        if isinstance(event, Finished):
            finished = event
        while out is not None and written < len(day.samples):
            with (out / "samples.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(day.samples[written]) + "\n")
            written += 1
    assert finished is not None
    found = judged(day.samples)
    found["held"].update(day.accounts(finished))
    found |= {
        "machine": machine(),
        "asr": pipeline.ready.asr,
        "hours": to_seconds(day.fed) / 3600,
        "took_s": round(time.monotonic() - day._begun_s, 1),
        "decisions": dict(day.decided),
        "barge_in": day.spoken_over,
        "lost_samples": day.lost,
        "samples": len(day.samples),
    }
    if out is not None:
        (out / "summary.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


@click.command("tools.measurements.soak.day", help=__doc__)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--hours", type=click.FloatRange(min=0.1), default=24.0, show_default=True)
@click.option("--asr", default="pocketsphinx", show_default=True, help="As for turbo-listen.")
def main(out: Path, hours: float, asr: str) -> None:
    """Listen."""
    out.mkdir(parents=True)
    found = soak(Pipeline.load(asr=asr), hours, every_h=min(0.5, hours / 8), out=out)
    click.echo(json.dumps(found, indent=2))
    sys.exit(0 if all(found["held"].values()) else 1)


if __name__ == "__main__":
    sys.exit(run_command(main))
