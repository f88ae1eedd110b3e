"""Pairs of collections, one of each class: whether the model holds where it never was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.judge.candidate import Panel
from tools.judge.figures import equal_error, figures, probe_figures, probe_scores
from tools.judge.recording import Recording
from tools.judge.scoring import NO_WORDS, Bench, Hearing, as_given
from tools.judge.sounds import Sound

WAYS: tuple[Sound, ...] = ("recorded", "channel")
"""As recorded, and both classes through the same random channel."""

_FEWEST = 8
"""Recordings of a collection that a cell of the matrix takes at least."""


def members(recordings: Sequence[Recording], collection: str, directed: bool) -> list[Recording]:
    """Return the recordings of one collection and class."""
    return [one for one in recordings if one.collection == collection and one.directed == directed]


def judge_pair(
    panel: Panel, bench: Bench, recordings: Sequence[Recording], pair: tuple[str, str]
) -> dict[str, Any] | None:
    """Return fused, audio only, text only and probe on a pair, both ways; None where one is empty.

    The package is the one that has met the fewest of the pair's recordings; `met` says how many.
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
        "met": sorted(
            name for name, side in zip(pair, sides, strict=True) if any(map(candidate.knows, side))
        ),
        "with_recognized_text": sum(one.heard is not None for one in items),
    }
    text = [Hearing(one, "none", one.transcript, one.names) for one in items]
    text_figures = figures(items, bench.scores(candidate, text, f"{title}, text"))
    for way in WAYS:
        fused = [as_given(one, way) for one in items]
        audio = [Hearing(one, way, NO_WORDS, one.names) for one in items]
        threshold = candidate.package.threshold()
        found[way] = {
            "fused": figures(items, bench.scores(candidate, fused, f"{title}, {way}"), threshold),
            "audio": figures(items, bench.scores(candidate, audio, f"{title}, {way}, sound")),
            "text": text_figures,
            "probe": probe_figures(
                items, bench.probe_features(items, way, f"{title}, {way}, probe")
            ),
        }
    return found


def judge_matrix(panel: Panel, bench: Bench, recordings: Sequence[Recording]) -> dict[str, Any]:
    """Return the fused equal error rate of every directed against every other collection.

    Nominal labels are left out. `met` counts how many of a cell's two collections its package
    was trained on.
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
            cell: dict[str, Any] = {
                "directed": row,
                "not_directed": column,
                "package": candidate.title,
                "met": sum(any(map(candidate.knows, side)) for side in sides),
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
