"""Stream mode: the very pipeline of `turbo-listen` over a long recording."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.deciding.decider import Decider, safe_sound_reject
from turbo_stream.deciding.turn_taking import TurnTaking
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import clip_blocks, read_clip
from turbo_stream.evaluation.corpus.conditions import parse_condition
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.figures.stream_matching import read_spans
from turbo_stream.evaluation.scoring.models import Models
from turbo_stream.events import Ready, Utterance
from turbo_stream.pipeline import Pipeline
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad


class StreamScorer:
    """Runs recordings through pipelines that share one worker's models."""

    def __init__(self, models: Models) -> None:
        if models.settings.gold_text:
            raise InputError(
                "--text gold is for clips: in stream mode the segmenter decides what an utterance "
                "is, and no text of the manifest belongs to it; leave it out"
            )
        self._models = models
        self._condition = parse_condition(models.settings.condition)
        self._vad_name = models.settings.vad or DEFAULT_VAD

    def score(self, item: Item) -> dict[str, Any]:
        """Return `events` (every utterance, with its text), `audio_s` and `latency_ms.total`.

        Raises:
            InputError: the recording or its `segments` cannot be read.
        """
        read_spans(item.row)
        pipeline = self._pipeline(item)
        started = perf_counter()
        utterances: list[Utterance] = []
        for pcm in self._blocks(item):
            utterances += _utterances(pipeline.process(pcm))
        utterances += _utterances(pipeline.flush())
        return {
            "events": [utterance.to_json() for utterance in utterances],
            "audio_s": pipeline.finished().audio_s,
            "latency_ms": {"total": 1000 * (perf_counter() - started)},
        }

    def _blocks(self, item: Item) -> Iterator[NDArray[np.int16]]:
        if self._condition.kind == "clean":
            yield from clip_blocks(item.path, item.offset_s, item.duration_s)
            return
        # A condition has the level of the whole recording to go by, so it is held in memory.
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        pcm = self._condition.apply(pcm, seed=self._models.settings.seed, item=item.index)
        for start in range(0, len(pcm), SAMPLE_RATE):
            yield pcm[start : start + SAMPLE_RATE]

    def _pipeline(self, item: Item) -> Pipeline:
        models = self._models
        detector = TurboDetector(
            models.package, names=models.names(item), classifier=models.classifier
        )
        decider = Decider(
            models.recognizer,
            detector,
            # The corpus is the user's own: what was said in it may stand in the user's own report.
            show_rejected=True,
            sound_judge=detector,
            sound_reject=safe_sound_reject(
                models.package.sound_reject, threshold=detector.threshold, log_odds=0.0
            ),
        )
        vad = load_vad(self._vad_name)
        ready = Ready(models.asr, vad.name, models.package.name, detector.threshold)
        segmenter = TurnTaking.load(models.package, detector).segmenter(vad)
        return Pipeline(segmenter, decider, ready=ready)


def _utterances(events: list[Any]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]
