"""What a person waits for: from the true end of their speech to the decision, and where it goes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from turbo_stream.benchmark.listen.timed_decisions import Heard, TimedDecision
from turbo_stream.benchmark.report import distribution
from turbo_stream.evaluation.figures.stream_matching import Matching, match


@dataclass(frozen=True)
class Delay:
    """The wait after one utterance, in milliseconds."""

    end_silence_ms: float
    """True end of the speech to the endpoint: waiting whether the speaker goes on. The blocks of
    capture and, live, the way of the event to the reader are in it."""

    work_ms: float
    """Endpoint to decision, as the event tells it: text and classification."""

    @property
    def response_ms(self) -> float:
        """The sum."""
        return self.end_silence_ms + self.work_ms


@dataclass(frozen=True)
class Outcome:
    """Delays of the utterances that were heard as one, and how many were not."""

    delays: tuple[Delay, ...]
    utterances: int | None
    """Spans of known speech; None where they are not known."""

    whole: int | None
    """Heard as one utterance and decided after its end; the delays are theirs."""

    cut: int | None
    """Decided in two or more parts, or before the speech had ended."""

    merged: int | None
    """Decided together with another."""

    missed: int | None
    """Not decided at all."""

    outside: int | None
    """Decided where no speech is known."""


def outcome(heard: Iterable[Heard]) -> Outcome:
    """Return what became of all utterances in `heard`."""
    parts = [_of_spans(one) if one.stream.spans is not None else _of_events(one) for one in heard]
    return Outcome(
        tuple(delay for part in parts for delay in part.delays),
        *(
            _sum([getattr(part, name) for part in parts])
            for name in ("utterances", "whole", "cut", "merged", "missed", "outside")
        ),
    )


def latency(heard: Sequence[Heard]) -> dict[str, Any]:
    """Return the delays in `heard` and what else befell the utterances, JSON-ready.

    `response_ms` is `end_silence_ms` + `work_ms`, utterance by utterance; `delays_ms` has them all;
    `parts_of_work_ms` are what the events themselves tell of their work, some of which may have
    been done before the endpoint. `texts_saved` is the share of utterances that were decided
    by their sound alone.
    """
    found = outcome(heard)
    decisions = [decision for one in heard for decision in one.decisions]
    return {
        "response_ms": distribution([delay.response_ms for delay in found.delays]),
        "end_silence_ms": distribution([delay.end_silence_ms for delay in found.delays]),
        "work_ms": distribution([delay.work_ms for delay in found.delays]),
        "parts_of_work_ms": _parts(decisions),
        "utterances": found.utterances,
        "whole": found.whole,
        "cut": found.cut,
        "merged": found.merged,
        "missed": found.missed,
        "outside": found.outside,
        "decided": len(decisions),
        "texts_saved": _share_without_text(decisions),
        "accepted": sum(decision.utterance.decision == "accepted" for decision in decisions),
        "dropped": dict(sum((one.dropped for one in heard), Counter())),
        "degraded": dict(sum((one.degraded for one in heard), Counter())),
        "delays_ms": [[delay.end_silence_ms, delay.work_ms] for delay in found.delays],
    }


def _of_spans(heard: Heard) -> Outcome:
    spans = heard.stream.spans or ()
    spoken = [(v.utterance.start_s, v.utterance.end_s) for v in heard.decisions]
    found = match(spans, spoken)
    fates = [_fate(heard, found, number) for number in range(len(spans))]
    counted = Counter(fates)
    delays = [
        Delay((decision.endpoint_s - span.end_s) * 1000, decision.work_ms)
        for number, span in enumerate(spans)
        if fates[number] == "whole"
        for decision in _members(heard, found, number)
    ]
    return Outcome(
        tuple(delays),
        len(spans),
        counted["whole"],
        counted["cut"],
        counted["merged"],
        counted["missed"],
        sum(owner is None for owner in found.span_of_event),
    )


def _fate(heard: Heard, found: Matching, number: int) -> str:
    members = found.events_of_span[number]
    span = (heard.stream.spans or ())[number]
    if any(event in found.merging for event in members):
        return "merged"
    if not members:
        swallowed = any(
            heard.decisions[event].utterance.start_s < span.end_s
            and heard.decisions[event].utterance.end_s > span.start_s
            for event in found.merging
        )
        return "merged" if swallowed else "missed"
    early = heard.decisions[members[0]].endpoint_s < span.end_s
    return "cut" if len(members) > 1 or early else "whole"


def _members(heard: Heard, found: Matching, number: int) -> Iterator[TimedDecision]:
    for event in found.events_of_span[number]:
        yield heard.decisions[event]


def _of_events(heard: Heard) -> Outcome:
    delays = [
        Delay((decision.endpoint_s - decision.utterance.end_s) * 1000, decision.work_ms)
        for decision in heard.decisions
    ]
    return Outcome(tuple(delays), None, None, None, None, None, None)


def _parts(decisions: Sequence[TimedDecision]) -> dict[str, Any]:
    told = [decision.utterance.latency_ms for decision in decisions]
    names = dict.fromkeys(name for one in told for name in one)
    return {name: distribution([one[name] for one in told if name in one]) for name in names}


def _share_without_text(decisions: Sequence[TimedDecision]) -> float | None:
    skipped = sum("skipped" in decision.utterance.asr for decision in decisions)
    return skipped / len(decisions) if decisions else None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
