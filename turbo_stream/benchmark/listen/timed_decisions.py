"""What was decided of a stream, and when: by the wall clock, or in the time of the sound."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import perf_counter

from turbo_stream._util.timebase import ms_to_samples, to_seconds
from turbo_stream.audio.source import Block
from turbo_stream.benchmark.listen.paced_source import PacedSource
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.events import Finished, Utterance
from turbo_stream.live.live_pipeline import LiveConfig, LivePipeline
from turbo_stream.pipeline import Pipeline


@dataclass(frozen=True)
class TimedDecision:
    """One utterance event and the moment at which the reader had it."""

    utterance: Utterance

    endpoint_s: float
    """When the end of the utterance was certain, in seconds since the stream began."""

    at_s: float
    """When the event was in the reader's hands, on the same clock."""

    @property
    def work_ms(self) -> float:
        """Between the two, which is what the event says of it."""
        return (self.at_s - self.endpoint_s) * 1000


@dataclass
class Heard:
    """All that came of one stream."""

    stream: Stream
    decisions: list[TimedDecision] = field(default_factory=list)
    """Of utterances that were accepted or rejected, in order."""

    dropped: Counter[str] = field(default_factory=Counter)
    """Utterances that were not decided, by reason."""

    degraded: Counter[str] = field(default_factory=Counter)
    """Decided utterances by the stated steps in which quality was lost."""

    finished: Finished | None = None
    lag_s: float = 0.0
    """How far capture was behind at the end of the sound."""

    longest_lag_s: float = 0.0

    def add(self, utterance: Utterance, at_s: float) -> None:
        """Note a terminal event that came at `at_s`."""
        if utterance.decision == "dropped":
            self.dropped[str(utterance.reason)] += 1
            return
        self.degraded.update(utterance.degraded)
        worked_s = utterance.latency_ms["endpoint_to_decision"] / 1000
        self.decisions.append(TimedDecision(utterance, at_s - worked_s, at_s))


def hear_fast(pipeline: Pipeline, stream: Stream, block_ms: float) -> Heard:
    """Feed `stream` to the synchronous core without a pause.

    The clock is that of the sound: an endpoint lies at the end of the block that brought it, and
    its event came as much later as the work took.
    """
    heard = Heard(stream)
    size = ms_to_samples(block_ms)
    pipeline.reset()
    for start in range(0, len(stream.pcm), size):
        pcm = stream.pcm[start : start + size]
        _note(heard, pipeline.feed(Block(pcm)), to_seconds(start + len(pcm)))
    _note(heard, pipeline.flush(), stream.duration_s)
    heard.finished = pipeline.finished()
    return heard


def hear_live(
    pipeline: Pipeline, stream: Stream, block_ms: float, config: LiveConfig | None = None
) -> Heard:
    """Play `stream` to the live shell in real time, in blocks of `block_ms`, as a microphone.

    The clock is the wall's, from the first sample on.
    """
    heard = Heard(stream)
    source = PacedSource(stream.pcm, block_ms)
    pipeline.reset()
    for event in LivePipeline(pipeline, source, config).run():
        if isinstance(event, Utterance):
            heard.add(event, perf_counter() - source.started_s)
        elif isinstance(event, Finished):
            heard.finished = event
    heard.lag_s = source.lags_s[-1] if source.lags_s else 0.0
    heard.longest_lag_s = max(source.lags_s, default=0.0)
    return heard


def _note(heard: Heard, events: Iterable[object], now_s: float) -> None:
    for event in events:
        if isinstance(event, Utterance):
            worked_ms = event.latency_ms.get("endpoint_to_decision", 0.0)
            heard.add(event, now_s + worked_ms / 1000)
