"""False accepts an hour against missed commands, over all thresholds: what people live with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from turbo_stream.detection.package import DIRECTED

if TYPE_CHECKING:
    from turbo_stream.evaluation.figures._stream_figures import Recording

_MOST_POINTS = 200


def stream_curve(recordings: Sequence[Recording], audio_s: float) -> list[dict[str, Any]]:
    """Return `threshold`, `false_accepts_per_hour` and `missed` of each point, as it rises.

    `missed` is the share of spans labelled `directed` that no event reaches, None without any. What
    was decided before counts as it was at the run's own threshold: a conversation that another one
    would have opened is not heard again.
    """
    wrong: list[float] = []
    directed: list[float] = []
    for recording in recordings:
        for number, event in enumerate(recording.events):
            owner = recording.matching.span_of_event[number]
            if owner is None or recording.spans[owner].label != DIRECTED:
                wrong.append(event["directed_probability"])
        directed += [
            -1.0 if item["directed_probability"] is None else item["directed_probability"]
            for item in recording.span_items()
            if item["label"] == DIRECTED
        ]
    if audio_s <= 0:
        return []
    scores, reached = np.sort(wrong), np.sort(directed)
    thresholds = np.unique(np.concatenate([scores, reached[reached >= 0]]))
    if len(thresholds) > _MOST_POINTS:
        places = np.linspace(0, len(thresholds) - 1, _MOST_POINTS).round().astype(int)
        thresholds = thresholds[places]
    false = len(scores) - np.searchsorted(scores, thresholds)
    missed = np.searchsorted(reached, thresholds)
    return [
        {
            "threshold": float(threshold),
            "false_accepts_per_hour": float(count * 3600 / audio_s),
            "missed": float(lost / len(reached)) if len(reached) else None,
        }
        for threshold, count, lost in zip(thresholds, false, missed, strict=True)
    ]
