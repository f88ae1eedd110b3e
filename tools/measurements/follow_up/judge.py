"""Fits a prior to sessions, judges it with the decisions fed back as the product does, draws it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit

from tools.measurements.follow_up.world import Sessions
from turbo_stream.detection.follow_up_prior import FollowUpPrior

DECAYS_S = (3.0, 5.0, 8.0, 12.0, 20.0, 30.0)
"""Decays that are tried."""

MOST = 5.0
"""Log-odds at most: a bound for worlds in which only follow-ups come soon."""

_FIGURES = {
    "false_accept": "false accepts, usual threshold",
    "false_reject": "false rejects, usual threshold",
    "false_reject_at_false_accept": "false rejects at {:.0%} false accepts",
}

_COLOURS = {"none": "0.45", "default": "tab:blue", "fitted": "tab:orange"}

Rates = tuple[float | None, float | None]
"""False accepts and false rejects, as fractions of their class; None for a class without items."""


def decide(sessions: Sessions, prior: FollowUpPrior | None, threshold: float) -> NDArray[np.bool_]:
    """Return what is accepted, `[N]`: each decision feeds the prior of those after it."""
    if prior is None:
        return sessions.logit >= threshold
    accepted = np.zeros(len(sessions.logit), bool)
    current, until_s = -1, -math.inf
    columns = (sessions.session, sessions.start_s, sessions.end_s, sessions.logit)
    for index, (session, start_s, end_s, logit) in enumerate(zip(*map(list, columns), strict=True)):
        if session != current:
            current, until_s = session, -math.inf
        added = prior.log_odds * math.exp(-(start_s - until_s) / prior.decay_s)
        if logit + added >= threshold:
            accepted[index] = True
            until_s = end_s
    return accepted


def rates(sessions: Sessions, prior: FollowUpPrior | None, threshold: float) -> Rates:
    """Return the error rates at a threshold of log-odds, but for the first of each session."""
    accepted = decide(sessions, prior, threshold)
    later = sessions.later
    false_accepts = accepted[later & ~sessions.directed]
    false_rejects = ~accepted[later & sessions.directed]
    return _mean(false_accepts), _mean(false_rejects)


def _mean(errors: NDArray[np.bool_]) -> float | None:
    return float(errors.mean()) if len(errors) else None


def false_rejects_at(
    sessions: Sessions, prior: FollowUpPrior | None, false_accept: float
) -> float | None:
    """Return the false rejects at the lowest threshold with at most `false_accept` of those."""
    low, high = -15.0, 15.0
    for _ in range(24):
        middle = (low + high) / 2
        if (rates(sessions, prior, middle)[0] or 0.0) <= false_accept:
            high = middle
        else:
            low = middle
    return rates(sessions, prior, high)[1]


def fit_prior(sessions: Sessions) -> FollowUpPrior:
    """Return the prior of highest likelihood, given which utterances truly were to the device.

    The time is that since the last utterance that the classifier alone accepts, as the product
    sees it. How rare directed speech is in these sessions is fitted beside it and left out: that is
    what the threshold is for. The weight is never negative: see `FollowUpPrior`.
    """
    later = sessions.later
    since_s, logit = _since_accepted(sessions)[later], sessions.logit[later]
    sign = np.where(sessions.directed[later], 1.0, -1.0)

    def loss(weights: NDArray, fading: NDArray) -> float:
        shifted = logit + weights[0] * fading + weights[1]
        return -float(log_expit(sign * shifted).mean())

    found = []
    for decay_s in DECAYS_S:
        fading = np.exp(-since_s / decay_s)
        best = minimize(loss, (0.5, 0.0), args=(fading,), bounds=((0.0, MOST), (-MOST, MOST)))
        found.append((float(best.fun), decay_s, float(best.x[0])))
    _, decay_s, log_odds = min(found)
    return FollowUpPrior(log_odds, decay_s)


def _since_accepted(sessions: Sessions) -> NDArray[np.float64]:
    accepted = sessions.logit >= 0.0
    since = np.full(len(accepted), np.inf)
    current, until_s = -1, -math.inf
    for index in range(len(accepted)):
        if sessions.session[index] != current:
            current, until_s = sessions.session[index], -math.inf
        since[index] = sessions.start_s[index] - until_s
        if accepted[index]:
            until_s = sessions.end_s[index]
    return since


def plot_worlds(report: dict[str, Any], path: Path) -> None:
    """Write curves over the share of follow-ups, a column for each share of chat."""
    chats = sorted({world["chat_share"] for world in report["worlds"]})
    figure = Figure(figsize=(3.2 * len(chats), 7.5), layout="constrained")
    grid = figure.subplots(len(_FIGURES), len(chats), sharex=True, sharey="row", squeeze=False)
    for row, (key, title) in zip(grid, _FIGURES.items(), strict=True):
        for axes, chat in zip(row, chats, strict=True):
            worlds = [world for world in report["worlds"] if world["chat_share"] == chat]
            for name, colour in _COLOURS.items():
                points = [
                    (world["follow_up_share"], 100 * world[name][key])
                    for world in worlds
                    if world[name][key] is not None
                ]
                axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
            axes.grid(alpha=0.3)
            axes.set_ylim(bottom=0)
            if axes is row[0]:
                axes.set_ylabel(title.format(report["false_accept_held"]) + ", %", fontsize=8)
    for axes, chat in zip(grid[0], chats, strict=True):
        axes.set_title(f"chat right after: {chat:.0%}", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("share of follow-ups", fontsize=8)
    grid[0][0].legend(title="prior", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
