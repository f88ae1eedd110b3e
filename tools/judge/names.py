"""What the device is called: its name called out, mentioned, another device's, or none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.judge.candidate import Candidate, Panel, counted
from tools.judge.figures import LIMITED
from tools.judge.recording import Recording, plain_words
from tools.judge.scoring import Bench, Hearing
from tools.judge.sounds import Sound
from turbo_stream.evaluation.figures.binary import ErrorCurve

_FEWEST = 4
"""Items of a class that a package is asked about, for an error rate of its own."""

GIVEN = ("own", "none", "other")
"""What the device is told that it is called: what it is, nothing, or another device's name."""


def holds_name(recording: Recording) -> bool:
    """Say whether the words of a recording hold its device's name, as written."""
    if not recording.names:
        return False
    words, name = recording.words, plain_words(recording.names[0])
    return any(words[at : at + len(name)] == name for at in range(len(words) - len(name) + 1))


def other_name(recording: Recording, all_names: Sequence[str]) -> str:
    """Return the next of `all_names` after the recording's own."""
    at = all_names.index(recording.names[0])
    return all_names[(at + 1) % len(all_names)]


def judge_names(panel: Panel, bench: Bench, recordings: Sequence[Recording]) -> dict[str, Any]:
    """Return how many calls, mentions and other speech are accepted under each name given.

    `text` is given the true words alone, `fused` sound and recognized words. `separations` are
    equal error rates: a call under the own name against the same call under another device's
    (which is then not for this device), and calls against mentions under the own name. Scores of
    different packages are not compared: each is of the items that one was asked about, and what is
    given is their mean by items.
    """
    named = [one for one in recordings if one.names and not one.nominal]
    all_names = sorted({one.names[0] for one in named})
    if len(all_names) < 2:
        return {}
    kinds = {
        "called": [one for one in named if one.directed and holds_name(one)],
        "mentioned": [one for one in named if not one.directed and holds_name(one)],
        "other talk": [one for one in named if not one.directed and not holds_name(one)],
        "command without a name": [
            one for one in recordings if one.directed and not one.names and not one.nominal
        ],
    }
    found: dict[str, Any] = {"names": all_names}
    ways: dict[str, Sound] = {"fused": "recorded", "text": "none"}
    for key, sound in ways.items():
        rows: dict[str, Any] = {}
        scores: dict[tuple[str, str], NDArray[np.float64]] = {}
        askers: dict[str, NDArray[np.int64]] = {}
        for kind, items in kinds.items():
            asked = panel.asked([one for one in items if sound == "recorded" or one.text])
            if not asked:
                continue
            rows[kind] = {
                "n": len(asked),
                **counted(asked),
            }
            askers[kind] = np.array([panel.candidates.index(by) for _, by in asked])
            for given in GIVEN:
                values = _scores(bench, asked, sound, given, all_names)
                thresholds = np.array([candidate.package.threshold() for _, candidate in asked])
                scores[kind, given] = values
                rows[kind][given] = {
                    "accepted": float(np.mean(values >= thresholds)),
                    "mean_probability": float(values.mean()),
                }
        found[key] = {"rows": rows, "separations": separations(scores, askers)}
    return found


def _scores(
    bench: Bench,
    asked: Sequence[tuple[Recording, Candidate]],
    sound: Sound,
    given: str,
    all_names: Sequence[str],
) -> NDArray[np.float64]:
    hearings = []
    for place, (one, candidate) in enumerate(asked):
        known = one.names or (all_names[place % len(all_names)],)
        if given == "other":
            known = (other_name(one, all_names),) if one.names else known
        words = one.transcript if sound == "recorded" else one.spoken
        names = () if given == "none" else known
        hearings.append((candidate, Hearing(one, sound, words, names)))
    return bench.scores_of(hearings, f"names, {given}")


def separations(
    scores: dict[tuple[str, str], NDArray[np.float64]], askers: dict[str, NDArray[np.int64]]
) -> dict[str, dict[str, float]]:
    """Return what `judge_names` says of separations, of the scores by kind and name given.

    `askers` has the place of the package that was asked about each item of a kind, `[N]`.
    """
    wanted = {
        "own name against another device's, both called": (("called", "own"), ("called", "other")),
        "called against mentioned, own name": (("called", "own"), ("mentioned", "own")),
        "called against mentioned, no name": (("called", "none"), ("mentioned", "none")),
    }
    found = {}
    for title, (accept, reject) in wanted.items():
        if accept not in scores or reject not in scores:
            continue
        rates: list[tuple[float, float]] = []
        counts: list[int] = []
        for package in np.unique(askers[accept[0]]):
            sides = [scores[side][askers[side[0]] == package] for side in (accept, reject)]
            truths = np.repeat([True, False], [len(side) for side in sides])
            curve = ErrorCurve.of(truths, np.concatenate(sides))
            if curve is not None and min(map(len, sides)) >= _FEWEST:
                limited = float(curve.false_accept[curve.index_at_false_reject(0.05)])
                rates.append((curve.eer, limited))
                counts.append(len(truths))
        if counts:
            eer, limited = np.average(rates, axis=0, weights=counts).tolist()
            found[title] = {"n": sum(counts), "packages": len(counts), "eer": eer, LIMITED: limited}
    return found
