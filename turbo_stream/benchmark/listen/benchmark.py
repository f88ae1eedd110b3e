"""`turbo-bench listen`: what listening takes and costs on this machine, as installed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from turbo_stream._util.clocks import processor_time
from turbo_stream.audio.capture import BLOCK_MS
from turbo_stream.benchmark.listen._cold_start import cold_start, import_s
from turbo_stream.benchmark.listen._concurrent_streams import play_at_once
from turbo_stream.benchmark.listen._cost import conversation_cost, live_quiet_cost, quiet_cost
from turbo_stream.benchmark.listen._response_time import latency
from turbo_stream.benchmark.listen.timed_decisions import Heard, hear_fast, hear_live
from turbo_stream.benchmark.machine import load_average, machine, resident_mb
from turbo_stream.benchmark.report import Progress
from turbo_stream.benchmark.sound.material import KITCHEN, Material, read_material
from turbo_stream.benchmark.sound.stream import Stream, first_of_all
from turbo_stream.pipeline import Models
from turbo_stream.settings import Settings


@dataclass(frozen=True)
class ListenSettings:
    """How much of what is measured; 0 leaves it out."""

    realtime_s: float = 60.0
    """Sound played to the live shell in real time."""

    full_speed_s: float = 600.0
    """Sound fed to the synchronous core without a pause, at most: nothing is heard twice."""

    block_ms: float = BLOCK_MS
    """Length of the blocks in which sound arrives while somebody speaks."""

    streams: int = 0
    """Streams played at once, each for `realtime_s`."""

    quiet_s: float = 600.0
    """Quiet room fed to the core: idle processor time, and whether memory grows."""

    live_quiet_s: float = 10.0
    """Quiet room played to the live shell in real time."""

    talk_s: float = 180.0
    """Conversation fed to the core: processor time by stage, and whether memory grows."""

    starts: int = 3
    """Fresh processes whose start is timed."""


@dataclass
class _Phases:
    """Tells how far everything is, in seconds that each part is expected to take."""

    progress: Progress
    expected: dict[str, float] = field(default_factory=dict)
    done_s: float = 0.0

    def begin(self, what: str) -> None:
        """Say that `what` begins now."""
        self.progress(what, self.done_s / sum(self.expected.values()))
        self.done_s += self.expected[what]


def benchmark_listen(
    paths: Sequence[Path],
    settings: ListenSettings,
    model_settings: Settings,
    *,
    flags: list[str],
    say: Callable[[str], None] | None = None,
    progress: Progress = lambda what, share: None,
) -> dict[str, Any]:
    """Measure everything that `settings` ask for, on `paths` (see `read_material`).

    Args:
        paths: recordings and manifests; none for the recording in the package.
        settings: how much of what.
        model_settings: what listens.
        flags: the same as options of `turbo-listen`, for processes of its own.
        say: told what was chosen, and why.
        progress: is told how far it is.

    Returns:
        JSON-ready figures; `docs/guide/benchmarks.md` explains them.

    Raises:
        InputError: a recording, a model or a setting cannot be used.
    """
    phases = _Phases(progress, _expected_s(settings))
    phases.begin("reading recordings")
    material = read_material(paths, max(settings.realtime_s, settings.full_speed_s))
    found: dict[str, Any] = {
        "machine": machine(),
        "material": _described(material),
        "block_ms": settings.block_ms,
        "partials": model_settings.partials,
    }
    if settings.starts:
        phases.begin("cold start")
        found["cold_start"] = {"import_s": import_s(settings.starts)} | cold_start(
            KITCHEN, flags, settings.starts
        )
    phases.begin("loading models")
    memory = {"before": resident_mb()}
    started_s = perf_counter()
    models = Models.load(model_settings, say=say)
    found["load_s"] = perf_counter() - started_s
    ready = models.ready()
    found["ready"] = {
        "asr": ready.asr,
        "vad": ready.vad,
        "model": ready.model,
        "threshold": ready.threshold,
        "names": list(ready.names),
    }
    memory["ready"] = resident_mb()
    for name, figures in _figures(models, material.streams, settings, phases):
        found[name] = figures
        memory[f"after_{name}"] = resident_mb()
    found["resident_mb"] = memory
    found["machine"]["load_average_after"] = load_average()
    return found


def _figures(
    models: Models, streams: Sequence[Stream], settings: ListenSettings, phases: _Phases
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield one kind of measurement after the other, the one that reads memory least first."""
    block_ms, pipeline = settings.block_ms, models.stream()
    if settings.full_speed_s:
        phases.begin("full speed")
        chosen = first_of_all(streams, settings.full_speed_s)
        yield "full_speed", _heard([hear_fast(pipeline, one, block_ms) for one in chosen])
    if settings.quiet_s:
        phases.begin("a quiet room")
        yield "quiet", quiet_cost(pipeline, settings.quiet_s, block_ms)
    if settings.talk_s:
        phases.begin("conversation")
        yield "conversation", conversation_cost(models, streams, settings.talk_s, block_ms)
    if settings.live_quiet_s:
        phases.begin("a quiet room, live")
        yield "live_quiet", live_quiet_cost(pipeline, settings.live_quiet_s, block_ms)
    if settings.realtime_s:
        chosen = first_of_all(streams, settings.realtime_s)
        phases.begin("real time")
        cpu_s, started_s = processor_time(), perf_counter()
        live = _heard([hear_live(pipeline, one, block_ms) for one in chosen])
        cpu_s, wall_s = processor_time() - cpu_s, perf_counter() - started_s
        yield "realtime", live | {"cpu_share": cpu_s / wall_s}
        if settings.streams:
            phases.begin("streams at once")
            yield (
                "streams",
                play_at_once(models, streams, settings.streams, settings.realtime_s, block_ms),
            )


def _heard(heard: list[Heard]) -> dict[str, Any]:
    audio_s = sum(one.stream.duration_s for one in heard)
    found = {"audio_s": audio_s, **latency(heard)}
    accounts = [one.finished.speculation for one in heard if one.finished is not None]
    told = [account for account in accounts if account is not None]
    if told:
        found["speculation"] = {key: sum(account[key] for account in told) for key in told[0]}
    return found


def _described(material: Material) -> dict[str, Any]:
    speech = [one.speech_s() for one in material.streams]
    known = [seconds for seconds in speech if seconds is not None]
    return {
        "streams": [one.name for one in material.streams],
        "audio_s": sum(one.duration_s for one in material.streams),
        "speech_s": sum(known) if known else None,
        "true_end": list(material.truths),
        "clips_left_out": material.clips_left_out,
    }


def _expected_s(settings: ListenSettings) -> dict[str, float]:
    """Return about how long each part takes, in seconds, for the progress bar."""
    return {
        "reading recordings": 1.0,
        "cold start": 3.0 * settings.starts,
        "loading models": 1.0,
        "full speed": 0.06 * settings.full_speed_s,
        "a quiet room": 0.004 * settings.quiet_s,
        "conversation": 0.06 * settings.talk_s,
        "a quiet room, live": settings.live_quiet_s,
        "real time": settings.realtime_s,
        "streams at once": settings.realtime_s if settings.streams else 0.0,
    }
