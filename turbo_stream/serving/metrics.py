"""Prometheus metrics of the server. No label holds text, sound, or anything a client has sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from turbo_stream._util.timebase import to_seconds
from turbo_stream.events import Decision, Event, Finished, GapReported, Utterance

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 3.0, 5.0)


class Metrics:
    """The server's own registry; several servers in one process do not meet."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._utterances = Counter(
            "turbo_utterances", "Utterances by decision.", ["decision"], registry=registry
        )
        self._degraded = Counter(
            "turbo_degraded", "Utterances by what was given up.", ["step"], registry=registry
        )
        self._decision = Histogram(
            "turbo_decision_seconds",
            "Confirmed end of an utterance to its decision.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._asr = Histogram(
            "turbo_asr_seconds", "Recognizing one text.", buckets=_SECONDS, registry=registry
        )
        self._classifier = Histogram(
            "turbo_classifier_seconds",
            "Classifying one utterance.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._open = Gauge("turbo_open_streams", "Streams now.", ["transport"], registry=registry)
        self._streams = Counter("turbo_streams", "Streams.", ["transport"], registry=registry)
        self._bytes = Counter(
            "turbo_received_bytes", "Sound received.", ["transport"], registry=registry
        )
        self._audio = Counter(
            "turbo_audio_seconds", "Sound of the streams that have ended.", registry=registry
        )
        self._lost = Counter("turbo_lost_audio_seconds", "Sound lost.", registry=registry)
        self._turned_away = Counter(
            "turbo_turned_away", "Clients refused or closed, by why.", ["reason"], registry=registry
        )

    @contextmanager
    def stream(self, transport: str) -> Iterator[None]:
        """Count one more stream while the context lasts."""
        self._streams.labels(transport).inc()
        with self._open.labels(transport).track_inprogress():
            yield

    def received(self, transport: str, size: int) -> None:
        """Count `size` bytes of sound."""
        self._bytes.labels(transport).inc(size)

    def turned_away(self, reason: str) -> None:
        """Count a client that was refused or closed; `reason` is a word of ours."""
        self._turned_away.labels(reason).inc()

    def observe(self, event: Event) -> None:
        """Count what `event` says."""
        match event:
            case Utterance():
                self._utterances.labels(event.decision).inc()
                for step in event.degraded:
                    self._degraded.labels(step).inc()
                self._observe_latency(event.latency_ms)
            case GapReported():
                self._lost.inc(to_seconds(event.lost_samples))
            case Finished():
                self._audio.inc(event.audio_s)

    def page(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _observe_latency(self, latency_ms: dict[str, float]) -> None:
        for name, histogram in (
            ("endpoint_to_decision", self._decision),
            ("asr", self._asr),
            ("turbo", self._classifier),
        ):
            # No text was made of what the sound alone rejects: that is no recognition of 0 s.
            if latency_ms.get(name):
                histogram.observe(latency_ms[name] / 1000)


@dataclass
class Counts:
    """Totals over all streams since the start."""

    open_streams: int = 0
    streams: int = 0
    decisions: dict[Decision, int] = field(
        default_factory=lambda: {"accepted": 0, "rejected": 0, "dropped": 0}
    )
    audio_s: float = 0.0
    """Sound of the streams that have ended."""

    lost_s: float = 0.0
    """Sound lost, of all streams."""

    def add(self, event: Event) -> None:
        """Count what `event` says."""
        match event:
            case Utterance():
                self.decisions[event.decision] += 1
            case GapReported():
                self.lost_s += to_seconds(event.lost_samples)
            case Finished():
                self.audio_s += event.audio_s
