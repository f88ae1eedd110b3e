"""Streams in pieces, and their events without what may differ between runs."""

from dataclasses import replace

import numpy as np

from turbo_stream.events import Event, Utterance
from turbo_stream.pipeline import Pipeline


def untimed(events: list[Event]) -> list[Event]:
    """Drop the one field that may differ between runs."""
    return [replace(e, latency_ms={}) if isinstance(e, Utterance) else e for e in events]


def feed(pipeline: Pipeline, pcm: np.ndarray, sizes: list[int]) -> list[Event]:
    """Feed `pcm` in chunks of `sizes`, over and over."""
    events: list[Event] = []
    start = turn = 0
    while start < len(pcm):
        stop = start + sizes[turn % len(sizes)]
        events += pipeline.process(pcm[start:stop])
        start, turn = stop, turn + 1
    return events + pipeline.flush()
