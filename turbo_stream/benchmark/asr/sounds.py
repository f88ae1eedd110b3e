"""Utterances for a recognizer to hear, and pieces of given lengths made of them."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import to_samples
from turbo_stream.benchmark.sound.material import KITCHEN, read_recording
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import AUDIO_SUFFIXES, Item, read_manifest
from turbo_stream.evaluation.corpus.spans import Span, read_spans

_AROUND_S = 0.25
"""Sound before and after a span, as the segmenter leaves it."""


@dataclass(frozen=True)
class Utterance:
    """One utterance, and what is said in it."""

    source: str
    """Of the manifest's row, or the recording's name."""

    pcm: NDArray[np.int16]
    """`[N]`, 16 kHz."""

    text: str | None
    """Empty where nothing is said; None where that is not known."""


def read_utterances(
    paths: Sequence[Path], limit: int | None, *, by: str = "source", seed: int = 0
) -> list[Utterance]:
    """Read the utterances of `paths`; of the recording in the package if there are none.

    A path is a manifest as turbo-eval takes it, or a sound file with its `segments` in a JSON
    file of the same name beside it. `by`: the manifest's column that names the source. `limit`: of
    each source so many, drawn with `seed`.

    Raises:
        InputError: something cannot be read, or a sound file has no segments.
    """
    rng = random.Random(seed)
    by_source: dict[str, list[Utterance | Item]] = defaultdict(list)
    for path in paths or [KITCHEN]:
        if path.suffix.lower() in AUDIO_SUFFIXES:
            by_source[path.stem] += _spoken(path)
            continue
        for item in read_manifest(path):
            by_source[str(item.row.get(by) or path.stem)].append(item)
    return [
        utterance
        for source, found in by_source.items()
        for one in (found if limit is None else rng.sample(found, min(limit, len(found))))
        for utterance in _read(source, one)
    ]


def pieces(utterances: Sequence[Utterance], seconds: float, count: int) -> list[NDArray[np.int16]]:
    """Return `count` pieces of `seconds`, cut evenly from all utterances joined to one sound."""
    joined = np.concatenate([utterance.pcm for utterance in utterances])
    size = to_samples(seconds)
    starts = np.linspace(0, len(joined), count, endpoint=False).astype(int)
    return [np.take(joined, range(start, start + size), mode="wrap") for start in starts]


def _spoken(path: Path) -> list[Utterance]:
    stream = read_recording(path)
    if not stream.spans:
        raise InputError(
            f"{path} says nowhere what is an utterance; give {path.stem}.json with its segments "
            "beside it, or a manifest"
        )
    return [_cut(stream, path.stem, span) for span in stream.spans]


def _read(source: str, one: Utterance | Item) -> Iterator[Utterance]:
    if isinstance(one, Utterance):
        yield one
        return
    pcm = read_clip(one.path, one.offset_s, one.duration_s)
    if one.row.get("segments") is None:
        yield Utterance(source, pcm, one.text)
        return
    spans = read_spans(one.row)
    for span in spans:
        yield _cut(Stream(source, pcm, tuple(spans)), source, span)


def _cut(stream: Stream, source: str, span: Span) -> Utterance:
    start, end = max(span.start_s - _AROUND_S, 0.0), span.end_s + _AROUND_S
    return Utterance(source, stream.pcm[to_samples(start) : to_samples(end)], span.text)
