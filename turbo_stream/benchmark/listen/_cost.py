"""What listening costs the processor: in a quiet room, and while people talk."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from turbo_stream._util.clocks import processor_time
from turbo_stream._util.timebase import SAMPLE_RATE, ms_to_samples, to_samples
from turbo_stream.audio.source import Block
from turbo_stream.benchmark.listen._stages import with_clock
from turbo_stream.benchmark.listen.paced_source import PacedSource
from turbo_stream.benchmark.sound.joining import quiet_room
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.events import Utterance
from turbo_stream.live.live_pipeline import LivePipeline
from turbo_stream.pipeline import Models, Pipeline

ROOM_DB = -60.0
TURN_GAP_S = 1.0
"""Between two utterances of a conversation: longer than the longest end silence."""

_ROOM_S = 30.0
"""Noise that is made; it is heard over and over."""


def quiet_cost(pipeline: Pipeline, seconds: float, block_ms: float) -> dict[str, Any]:
    """Feed `seconds` of a quiet room to the synchronous core; return the share of a core."""
    pipeline.reset()
    room = quiet_room(_ROOM_S, ROOM_DB)
    size = ms_to_samples(block_ms)
    events = fed = 0
    started_s = processor_time()
    while fed < to_samples(seconds):
        start = fed % (len(room) - size)
        events += len(pipeline.process(room[start : start + size]))
        fed += size
    cpu_s = processor_time() - started_s
    return {
        "seconds": seconds,
        "level_dbfs": ROOM_DB,
        "events": events,
        "cpu_share": cpu_s / (fed / SAMPLE_RATE),
    }


def live_quiet_cost(pipeline: Pipeline, seconds: float, block_ms: float) -> dict[str, Any]:
    """Play `seconds` of a quiet room to the live shell in real time; return the share of a core.

    All threads of the process are counted, those that play the sound too.
    """
    pipeline.reset()
    source = PacedSource(quiet_room(seconds, ROOM_DB), block_ms)
    started_s, cpu_s = perf_counter(), processor_time()
    events = sum(1 for _ in LivePipeline(pipeline, source).run()) - 2  # without ready and finished
    cpu_s, wall_s = processor_time() - cpu_s, perf_counter() - started_s
    return {"seconds": wall_s, "block_ms": block_ms, "events": events, "cpu_share": cpu_s / wall_s}


def conversation_cost(
    models: Models, streams: Sequence[Stream], seconds: float, block_ms: float
) -> dict[str, Any]:
    """Feed `seconds` of talk without long silences to the synchronous core, `streams` in turn.

    Returns the share of a core, the processor's milliseconds for each second of sound by stage,
    and how many utterances needed no text. `speech_share` is what the segmenter takes for speech.
    """
    timed, clock = with_clock(models)
    talk = np.concatenate([one.without_long_silences(TURN_GAP_S).pcm for one in streams])
    size, total = ms_to_samples(block_ms), to_samples(seconds)
    fed = 0
    utterances: list[Utterance] = []
    started_s, cpu_s = perf_counter(), processor_time()
    while fed < total:
        start = fed % len(talk)
        block = talk[start : start + min(size, total - fed)]
        fed += len(block)
        utterances += _decided(timed.feed(Block(block)))
    utterances += _decided(timed.flush())
    cpu_s, wall_s = processor_time() - cpu_s, perf_counter() - started_s
    audio_s = fed / SAMPLE_RATE
    finished = timed.finished()
    stages = {name: 1000 * spent_s / audio_s for name, spent_s in clock.spent_s.items()}
    stages["other"] = 1000 * (cpu_s - sum(clock.spent_s.values())) / audio_s
    return {
        "seconds": audio_s,
        "speech_share": finished.speech_s / finished.audio_s,
        "utterances": len(utterances),
        "texts_saved": _share(sum("skipped" in one.asr for one in utterances), len(utterances)),
        "cpu_share": cpu_s / audio_s,
        "real_time_factor": wall_s / audio_s,
        "cpu_ms_per_s": stages,
        "calls_per_utterance": {
            name: _share(clock.calls[name], len(utterances))
            for name in ("pause_scorer", "asr", "turbo")
        },
        "streams_per_core": audio_s / cpu_s,
    }


def _decided(events: list[Any]) -> list[Utterance]:
    return [e for e in events if isinstance(e, Utterance) and e.decision != "dropped"]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
