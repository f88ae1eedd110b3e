"""Stream mode: the very pipeline of `turbo-listen` over a long recording."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.source import Pcm
from turbo_stream.evaluation.corpus.clip import clip_blocks, read_clip
from turbo_stream.evaluation.corpus.conditions import Condition
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.corpus.spans import read_spans
from turbo_stream.events import Event, Utterance
from turbo_stream.pipeline import Models


class StreamScorer:
    """Runs recordings through pipelines that share one worker's models."""

    def __init__(self, models: Models, condition: Condition, seed: int) -> None:
        self._models = models
        self._condition = condition
        self._seed = seed

    def score(self, item: Item) -> dict[str, Any]:
        """Return `events` (every utterance, with its text), `audio_s` and `latency_ms.total`.

        Raises:
            InputError: the recording or its `segments` cannot be read.
        """
        read_spans(item.row)
        pipeline = self._models.stream(names=item.names)
        started = perf_counter()
        events: list[Event] = []
        for pcm in self._blocks(item):
            events += pipeline.process(pcm)
        events += pipeline.flush()
        return {
            "events": [event.to_json() for event in events if isinstance(event, Utterance)],
            "audio_s": pipeline.finished().audio_s,
            "latency_ms": {"total": 1000 * (perf_counter() - started)},
        }

    def _blocks(self, item: Item) -> Iterator[Pcm]:
        if self._condition.kind == "clean":
            yield from clip_blocks(item.path, item.offset_s, item.duration_s)
            return
        # A condition has the level of the whole recording to go by, so it is held in memory.
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        pcm = self._condition.apply(pcm, seed=self._seed, item=item.index)
        for start in range(0, len(pcm), SAMPLE_RATE):
            yield pcm[start : start + SAMPLE_RATE]
