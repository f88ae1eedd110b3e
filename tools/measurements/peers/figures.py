"""From answers and the truth to how long a person waits, and a picture of it."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.measurements.peers.child import Answer
from tools.measurements.peers.programs import Run
from turbo_stream.benchmark.report import distribution
from turbo_stream.evaluation.corpus.spans import Span
from turbo_stream.evaluation.report.canvas import BLUE, GREY, figure_of, png_of

EARLY_S = 0.1
"""An endpoint that comes this much before the end of the speech has cut it off."""


@dataclass(frozen=True)
class Waited:
    """An answer and the end of the speech it belongs to."""

    answer: Answer
    speech_end_s: float

    @property
    def end_silence_ms(self) -> float:
        """From the last sample of speech to the endpoint."""
        return 1000 * (self.answer.endpoint_s - self.speech_end_s)

    @property
    def after_endpoint_ms(self) -> float:
        """From the endpoint to the answer."""
        return 1000 * (self.answer.answered_s - self.answer.endpoint_s)

    @property
    def total_ms(self) -> float:
        """From the last sample of speech to the answer: what a person feels."""
        return 1000 * (self.answer.answered_s - self.speech_end_s)


@dataclass(frozen=True)
class Matched:
    """The answers of one run, each given to the utterance that it ends."""

    waited: list[Waited]
    cut_off: int
    """Answers to an utterance that was still going on."""

    surplus: int
    """Answers before the first utterance, and further ones to the same."""

    missed: int
    """Utterances that nothing ended before the next began."""


def match(answers: Sequence[Answer], spans: Sequence[Span]) -> Matched:
    """Give each answer to the last utterance that began before its endpoint."""
    waited: dict[int, Waited] = {}
    cut_off = surplus = 0
    for answer in answers:
        begun = [index for index, span in enumerate(spans) if span.start_s < answer.endpoint_s]
        if not begun or begun[-1] in waited:
            surplus += 1
        elif answer.endpoint_s < spans[begun[-1]].end_s - EARLY_S:
            cut_off += 1
        else:
            waited[begun[-1]] = Waited(answer, spans[begun[-1]].end_s)
    return Matched(list(waited.values()), cut_off, surplus, len(spans) - len(waited))


def summary(runs: Sequence[Run], spans: Sequence[Span]) -> dict[str, Any]:
    """Return one program's figures over all its runs."""
    matched = [match(run.answers, spans) for run in runs]
    waited = [one for run in matched for one in run.waited]
    costs = {key: statistics.median(run.costs[key] for run in runs) for key in runs[0].costs}
    return {
        "utterances": len(spans) * len(runs),
        "answered": len(waited),
        "missed": sum(run.missed for run in matched),
        "cut_off": sum(run.cut_off for run in matched),
        "surplus": sum(run.surplus for run in matched),
        "guarded": sum(one.answer.guard is not None for one in waited),
        "end_silence_ms": distribution([one.end_silence_ms for one in waited]),
        "after_endpoint_ms": distribution([one.after_endpoint_ms for one in waited]),
        "from_speech_end_ms": distribution([one.total_ms for one in waited]),
        **costs,
    }


def compare(figures: dict[str, dict[str, Any]], plain: str) -> None:
    """Add to each program of `figures` how many times as fast as `plain` it is, by the medians."""
    if plain not in figures:
        return
    for own in figures.values():
        own["times_as_fast_as_plain"] = {
            key: _ratio(figures[plain][key]["p50"], own[key]["p50"])
            for key in ("after_endpoint_ms", "from_speech_end_ms")
        }


def draw(figures: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return a PNG: for each program the median end silence, and the median wait with the work."""
    names = [name for name, own in figures.items() if own["answered"]]
    figure, axes = figure_of(7.2, 0.9 + 0.62 * len(names))
    rows = np.arange(len(names))[::-1]
    waits = [figures[name]["end_silence_ms"]["p50"] for name in names]
    totals = [figures[name]["from_speech_end_ms"] for name in names]
    # Medians do not add up; the bars end where the median of the whole wait is.
    works = [max(0.0, total["p50"] - wait) for total, wait in zip(totals, waits, strict=True)]
    axes.barh(rows, waits, 0.6, color=GREY, alpha=0.5, label="end silence")
    axes.barh(rows, works, 0.6, left=waits, color=BLUE, label="work after the endpoint")
    axes.plot(
        [total["p95"] for total in totals], rows, "|", ms=14, color=GREY, label="95th percentile"
    )
    for row, total in zip(rows, totals, strict=True):
        axes.annotate(f"  {total['p50']:.0f}", (total["p95"], row), va="center", color=GREY)
    axes.set_yticks(rows, names)
    axes.set_xlim(0, 1.12 * max(total["p95"] for total in totals))
    axes.set_xlabel("End of the speech to the answer, ms (number: median)")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return png_of(figure)


def _ratio(theirs: float | None, ours: float | None) -> float | None:
    return theirs / ours if theirs is not None and ours else None
