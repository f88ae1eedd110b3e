"""Pairs of collections, one of each class: whether the model holds where it never was."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.judge.candidate import Candidate, Panel
from tools.judge.figures import (
    equal_error,
    figures,
    probe_figures,
    probe_scores,
    truths_of,
)
from tools.judge.recording import Recording
from tools.judge.scoring import NO_WORDS, Bench, Hearing, as_given
from tools.judge.sounds import Sound
from tools.judge.unspoken import unspoken_name
from turbo_stream import InputError, Transcript
from turbo_stream.evaluation.figures.content_free import SPEECH_S

WAYS: tuple[Sound, ...] = ("recorded", "channel")
"""As recorded, and both classes through the same random channel."""

ALIKE = "alike"
"""The same channel, and speech of one length: both classes are cut to the lengths of the shorter,
place by place. What a probe still finds then is no matter of length."""

WORDED = ("fused", "text", "fused_named", "text_named")
"""What the words have a say in: without a name, and with an unspoken one on both sides."""

_FEWEST = 8
"""Recordings of a collection that a cell of the matrix takes at least."""


def members(recordings: Sequence[Recording], collection: str, directed: bool) -> list[Recording]:
    """Return the recordings of one collection and class."""
    return [one for one in recordings if one.collection == collection and one.directed == directed]


def judge_pair(
    panel: Panel,
    bench: Bench,
    recordings: Sequence[Recording],
    pair: tuple[str, str],
    *,
    sample: int,
) -> dict[str, Any] | None:
    """Return fused, audio only, text only and probe on a pair, each way; None where one is empty.

    The device has no name; `fused_named` and `text_named` are with a name that nobody says, on both
    sides. The manifest's names do not count here: one class may have them and the other not.

    `ALIKE` takes up to `sample` recordings. What is left of a cut recording has other words, so
    that without a recognizer fused and text are null there.

    The package is the one that has met the fewest of the pair's recordings: `met` has the
    collections that it was trained on, `chose` those that chose its weights or its calibration.
    """
    sides = [members(recordings, pair[0], True), members(recordings, pair[1], False)]
    if not all(sides):
        return None
    items = sides[0] + sides[1]
    candidate = panel.for_recordings(items)
    title = " x ".join(pair)
    found: dict[str, Any] = {
        "directed": pair[0],
        "not_directed": pair[1],
        "package": candidate.title,
        **_known_sides(candidate, pair, sides),
        "with_recognized_text": sum(one.heard is not None for one in items),
    }
    for way in WAYS:
        words = [one.transcript for one in items]
        found[way] = _one_way(candidate, bench, items, words, way, f"{title}, {way}")
    alike = [*_even(sides[0], sample // 2), *_even(sides[1], sample // 2)]
    alike = of_one_length(alike, bench.probe_features(alike, "recorded", f"{title}, lengths"))
    heard = None
    if bench.asr is not None:
        heard = bench.recognized(alike, "channel", f"{title}, {ALIKE}, recognizing")
    found[ALIKE] = _one_way(candidate, bench, alike, heard, "channel", f"{title}, {ALIKE}")
    return found


def _known_sides(
    candidate: Candidate, names: Sequence[str], sides: Sequence[Sequence[Recording]]
) -> dict[str, list[str]]:
    """Return the names of the collections that a package was trained on, and that chose it."""
    counts = [candidate.met(side) for side in sides]
    return {
        key: sorted({name for name, count in zip(names, counts, strict=True) if count[key]})
        for key in ("met", "chose")
    }


def _one_way(
    candidate: Candidate,
    bench: Bench,
    items: Sequence[Recording],
    words: Sequence[Transcript] | None,
    sound: Sound,
    label: str,
) -> dict[str, Any]:
    """Return the figures of items in one sound; without their words, only those that need none."""

    def scores(
        heard: Sound, given: Sequence[Transcript], mode: str, *, named: bool = False
    ) -> NDArray[np.float64]:
        hearings = [
            Hearing(one, heard, text, unspoken_name(one, text) if named else ())
            for one, text in zip(items, given, strict=True)
        ]
        return bench.scores(candidate, hearings, f"{label}, {mode}")

    found: dict[str, Any] = dict.fromkeys(WORDED)
    if words is not None:
        threshold = candidate.package.threshold()
        for end, named in (("", False), ("_named", True)):
            said = ", a name" * named
            fused = scores(sound, words, f"fused{said}", named=named)
            text = scores("none", words, f"words{said}", named=named)
            found[f"fused{end}"] = figures(items, fused, threshold)
            found[f"text{end}"] = figures(items, text)
    return {
        **found,
        "audio": figures(items, scores(sound, [NO_WORDS] * len(items), "sound")),
        "probe": probe_figures(items, bench.probe_features(items, sound, f"{label}, probe")),
    }


def _even(recordings: Sequence[Recording], most: int) -> list[Recording]:
    """Return up to `most` of the recordings, the same whatever their order."""

    def order(one: Recording) -> tuple[int, float]:
        return zlib.crc32(one.name.encode("utf-8", "surrogatepass")), one.offset_s

    return sorted(recordings, key=order)[:most]


def of_one_length(
    recordings: Sequence[Recording], features: NDArray[np.float64]
) -> list[Recording]:
    """Return the recordings cut so that the speech of both classes is as long.

    `features` `[N, F]` are the content-free ones. A recording's place among the lengths of its own
    class is kept; it gets the length that the shorter class has there.
    """
    lengths = features[:, SPEECH_S]
    truths = truths_of(recordings)
    keep = np.zeros(len(recordings))
    for side in (True, False):
        own, other = np.flatnonzero(truths == side), lengths[truths != side]
        place = np.argsort(np.argsort(lengths[own], kind="stable")) / max(1, len(own) - 1)
        keep[own] = np.minimum(lengths[own], np.quantile(other, place))
    return [
        one if kept >= length else replace(one, keep_s=float(kept))
        for one, kept, length in zip(recordings, keep, lengths, strict=True)
    ]


def judge_matrix(panel: Panel, bench: Bench, recordings: Sequence[Recording]) -> dict[str, Any]:
    """Return the fused equal error rate of every directed against every other collection.

    Nominal labels are left out. Of a cell's collections `met` counts those that its package was
    trained on, `chose` those that chose it.
    """
    real = [one for one in recordings if not one.nominal]
    counts: dict[tuple[str, bool], int] = {}
    for one in real:
        key = (one.collection, one.directed)
        counts[key] = counts.get(key, 0) + 1
    rows, columns = (
        sorted(name for (name, side), n in counts.items() if side is wanted and n >= _FEWEST)
        for wanted in (True, False)
    )
    cells = []
    for row in rows:
        for column in columns:
            sides = [members(real, row, True), members(real, column, False)]
            items = sides[0] + sides[1]
            candidate = panel.for_recordings(items)
            known = _known_sides(candidate, (row, column), sides)
            cell: dict[str, Any] = {
                "directed": row,
                "not_directed": column,
                "package": candidate.title,
                **{key: len(names) for key, names in known.items()},
                "n": len(items),
            }
            for way in WAYS:
                hearings = [as_given(one, way) for one in items]
                scores = bench.scores(candidate, hearings, f"{row} x {column}, {way}")
                features = bench.probe_features(items, way, f"{row} x {column}, {way}, probe")
                probe = probe_scores(items, features)
                cell[way] = {
                    "eer": equal_error(items, scores),
                    "probe_eer": None if probe is None else equal_error(items, probe),
                }
            cells.append(cell)
    return {"directed": rows, "not_directed": columns, "cells": cells}


def held_out_items(
    recordings: Sequence[Recording], collections: tuple[str, ...]
) -> list[Recording]:
    """Return the recordings of a directed collection and of one that is not, in this order.

    Raises:
        InputError: `collections` are not two, or one has no recording of its class.
    """
    if len(collections) != 2:
        raise InputError(f"{','.join(collections)}: give two collections, the directed one first")
    sides = [members(recordings, name, place == 0) for place, name in enumerate(collections)]
    for name, side, label in zip(collections, sides, ("directed", "not_directed"), strict=True):
        if not side:
            raise InputError(f"the recordings have no {label} row of set {name!r}")
    return sides[0] + sides[1]
