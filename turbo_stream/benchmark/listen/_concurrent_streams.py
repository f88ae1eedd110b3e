"""Many streams at once over models that are loaded once, and whether any falls behind."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from turbo_stream._util.clocks import processor_time
from turbo_stream.benchmark.listen._response_time import latency
from turbo_stream.benchmark.listen.timed_decisions import Heard, hear_live
from turbo_stream.benchmark.machine import resident_mb
from turbo_stream.benchmark.report import distribution
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.live.live_pipeline import LiveConfig
from turbo_stream.pipeline import Models
from turbo_stream.recognition.recognizer import NoRecognizer
from turbo_stream.serving.shared_recognizer import SharedRecognizer

BEHIND_S = 0.5
"""A stream whose capture is later than this at the end of its sound has fallen behind."""

_LONGEST_TEXT_S = 30.0
_LOST_QUALITY = ("asr_skipped", "asr_late", "overload")


def play_at_once(
    models: Models,
    streams: Sequence[Stream],
    count: int,
    seconds: float,
    block_ms: float,
    config: LiveConfig | None = None,
) -> dict[str, Any]:
    """Play `count` streams in real time at once, each through a live shell of its own.

    They are about `seconds` of `streams` in turn, each begun at another place: what they hear
    differs where there is enough to hear, and they do not end their sentences together. A stream
    is `behind` when its capture is more than `BEHIND_S` late at the end, or when work was left
    out for lack of time; `cpu_share` is of one core.
    """
    sounds = [streams[i % len(streams)].turned(i / count).first(seconds) for i in range(count)]
    before_mb = resident_mb()
    if not isinstance(models.recognizer, NoRecognizer):
        # They take turns at it, as the streams of turbo-serve do.
        models = replace(models, recognizer=SharedRecognizer(models.recognizer))
    pipelines = [models.stream() for _ in range(count)]
    heard: list[Heard | None] = [None] * count
    failures: list[BaseException] = []

    def listen(number: int) -> None:
        try:
            heard[number] = hear_live(pipelines[number], sounds[number], block_ms, config)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=listen, args=(i,), daemon=True) for i in range(count)]
    started_s, cpu_s = perf_counter(), processor_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu_s, wall_s = processor_time() - cpu_s, perf_counter() - started_s
    _wait_for_late_texts()
    if failures:
        raise failures[0]
    done = [one for one in heard if one is not None]
    after_mb = resident_mb()
    return {
        "streams": count,
        "seconds": wall_s,
        "cpu_share": cpu_s / wall_s,
        "cpu_share_per_stream": cpu_s / sum(one.stream.duration_s for one in done),
        "behind": sum(map(_behind, done)),
        "lag_at_end_ms": distribution([1000 * one.lag_s for one in done]),
        "longest_lag_ms": distribution([1000 * one.longest_lag_s for one in done]),
        "resident_mb_per_stream": None
        if before_mb is None or after_mb is None
        else (after_mb - before_mb) / count,
        **latency(done),
    }


def _wait_for_late_texts() -> None:
    """Let threads end that a live shell left behind, in a text that came too late for it.

    One that is still at it when the interpreter ends would abort the process.
    """
    for thread in threading.enumerate():
        if thread.name.startswith("turbo"):
            thread.join(_LONGEST_TEXT_S)


def _behind(heard: Heard) -> bool:
    lost = sum((heard.degraded + heard.dropped)[step] for step in _LOST_QUALITY)
    return heard.lag_s > BEHIND_S or lost > 0
