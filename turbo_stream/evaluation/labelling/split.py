"""Which recordings are kept for the test, and what is wrong with a folder of recordings."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.held_out import held_units
from turbo_stream.evaluation.figures.content_free import probe_scores
from turbo_stream.evaluation.labelling.recording import LABELS, Recording

FEWEST_SPEAKERS = 4
"""Of a class: from so many on whole speakers are held out; with fewer, recordings."""

FEWEST = 40
"""Recordings of a class, below which little is to be expected."""

FEWEST_PROBED = 10
"""Recordings of a class, below which the probe says nothing."""

TELLING_AUC = 0.75
"""From here on the sound gives the class away without its words."""

LONGEST_S = 15.0
"""Of longer ones the classifier hears the last part alone."""


def held_out(recordings: Sequence[Recording], share: float) -> set[str]:
    """Return the groups that the test takes: about `share` of each class, always the same."""
    if not share:
        return set()
    labels = (LABELS.index(recording.label) for recording in recordings)
    return held_units(zip(groups(recordings), labels, strict=True), share)


def warnings(recordings: Sequence[Recording], auc: float | None) -> list[str]:
    """Return what a user should know before training, a line each."""
    counts = Counter(recording.label for recording in recordings)
    voices = speakers(recordings)
    found = [
        f"{label} has {counts[label]} recordings: from {FEWEST} on training begins to be worth it, "
        "below that only tune the threshold"
        for label in LABELS
        if counts[label] < FEWEST
    ]
    few = [label for label in LABELS if voices[label] < FEWEST_SPEAKERS]
    if few:
        found.append(
            f"{' and '.join(few)}: fewer than {FEWEST_SPEAKERS} speakers, so the test holds voices "
            "that are trained on; the figures are for these voices only"
        )
    if auc is not None and auc >= TELLING_AUC:
        found.append(
            f"length, level, noise and spectrum alone tell the classes apart (AUC {auc:.2f}): the "
            "model can learn the microphone in place of the intent, and test figures will flatter; "
            "record both classes with the same device in the same rooms, cut alike"
        )
    if auc is None:
        found.append(f"fewer than {FEWEST_PROBED} recordings of a class: the channel is unchecked")
    long = sum(recording.duration_s > LONGEST_S for recording in recordings)
    if long:
        found.append(
            f"{long} longer than {LONGEST_S:.0f} s: only their last {LONGEST_S:.0f} s are heard; "
            "cut them into utterances"
        )
    return found


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


def channel_auc(recordings: Sequence[Recording]) -> float | None:
    """Return how well length, level, noise and spectrum alone tell the classes apart.

    The area under the curve of a cross-validated logistic regression, 0.5 for not at all; None
    where a class has too few recordings to say.
    """
    from sklearn.metrics import roc_auc_score

    counts = Counter(recording.label for recording in recordings)
    if min(counts[label] for label in LABELS) < FEWEST_PROBED:
        return None
    truth = np.array([recording.label == "directed" for recording in recordings])
    waves = (read_clip(recording.path).astype(np.float32) / 32_768.0 for recording in recordings)
    scores = probe_scores(waves, truth, np.array(groups(recordings)))
    return float(roc_auc_score(truth, scores))
