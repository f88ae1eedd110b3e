"""Which recordings are kept for the test, and what may not stand on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tools.label_folder.recording import LABELS, Recording
from training.data.row import Row
from training.folds.split import choose_dev

FEWEST_SPEAKERS = 4
"""Of a class: from so many on whole speakers are held out; with fewer, recordings."""


def speakers(recordings: Sequence[Recording]) -> dict[str, int]:
    """Return how many speakers each class has; recordings of nobody known are of one more."""
    found: dict[str, set[str | None]] = defaultdict(set)
    for recording in recordings:
        found[recording.label].add(recording.speaker)
    return {label: len(found[label]) for label in LABELS}


def groups(recordings: Sequence[Recording]) -> list[str]:
    """Return for each recording what must not stand on both sides of a split.

    That is its speaker, but where a class has too few of them every recording is one of its own:
    then the figures are of voices that were trained on.
    """
    if min(speakers(recordings).values()) >= FEWEST_SPEAKERS:
        return [recording.speaker or recording.name for recording in recordings]
    return [recording.name for recording in recordings]


def held_out(recordings: Sequence[Recording], share: float) -> set[str]:
    """Return the groups that the test takes: about `share` of each class, always the same."""
    if not share:
        return set()
    rows = [
        Row(
            audio=recording.path,
            label=LABELS.index(recording.label),
            text=None,
            hypotheses=(),
            collection="own",
            group=group,
            names=(),
        )
        for recording, group in zip(recordings, groups(recordings), strict=True)
    ]
    return choose_dev(rows, share)
