"""Figures of long recordings: what segmentation and decision did to the labelled speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turbo_stream.detection.package import DIRECTED, NOT_DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import Row, duration_of
from turbo_stream.evaluation.corpus.spans import Span, read_spans
from turbo_stream.evaluation.figures._stream_curve import stream_curve
from turbo_stream.evaluation.figures.latency import percentiles
from turbo_stream.evaluation.figures.stream_matching import Matching, match

_OF_THE_RECORDING = frozenset(
    {"segments", "events", "duration", "audio_s", "text", "text_used", "latency_ms", "label"}
)
"""Columns of a recording that say nothing of one utterance in it."""


@dataclass(frozen=True)
class Recording:
    """One row of stream mode: its spans, its decided events, and how they belong together."""

    row: Row
    spans: Sequence[Span]
    events: Sequence[Mapping[str, Any]]
    """Utterance events that were accepted or rejected, in order."""
    dropped: int
    matching: Matching

    @classmethod
    def from_row(cls, row: Row) -> Recording:
        """Match the `events` of `row` (as `turbo-listen` prints them in JSON lines) to `segments`.

        Raises:
            InputError: `segments` or `events` is malformed.
        """
        spans = read_spans(row)
        utterances = [e for e in row["events"] if e.get("event", "utterance") == "utterance"]
        decided = [e for e in utterances if e.get("decision") in ("accepted", "rejected")]
        matching = match(spans, [(e["start_s"], e["end_s"]) for e in decided])
        return cls(row, spans, decided, len(utterances) - len(decided), matching)

    def event_items(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each decided event, labelled by the span it belongs to."""
        for number, event in enumerate(self.events):
            owner = self.matching.span_of_event[number]
            span = None if owner is None else self.spans[owner]
            yield self._columns() | {
                "label": NOT_DIRECTED if span is None else span.label,
                "start_s": event["start_s"],
                "end_s": event["end_s"],
                "duration": event["end_s"] - event["start_s"],
                "span": owner,
                "text": None if span is None else span.text,
                "directed_probability": event["directed_probability"],
                "decision": event["decision"],
                "text_used": event.get("text"),
                "asr": event.get("asr"),
                "latency_ms": event.get("latency_ms") or {},
            }

    def span_items(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each span: found with its best event, or missed.

        `decision` is `accepted` if any of its events was, `rejected`, or `missed`;
        `directed_probability` the greatest of its events, None if missed; `text_used` the texts
        of its events, joined.
        """
        for number, span in enumerate(self.spans):
            own = [self.events[i] for i in self.matching.events_of_span[number]]
            decisions = {event["decision"] for event in own}
            yield self._columns() | {
                "label": span.label,
                "start_s": span.start_s,
                "end_s": span.end_s,
                "duration": span.end_s - span.start_s,
                "text": span.text,
                "text_used": " ".join(e.get("text") or "" for e in own).strip() if own else None,
                "directed_probability": max((e["directed_probability"] for e in own), default=None),
                "decision": "accepted"
                if "accepted" in decisions
                else ("rejected" if own else "missed"),
            }

    def _columns(self) -> dict[str, Any]:
        return {key: value for key, value in self.row.items() if key not in _OF_THE_RECORDING}


def read_recordings(rows: Iterable[Row]) -> list[Recording]:
    """Match every row that has `events`; rows without (unreadable files) are left out."""
    return [Recording.from_row(row) for row in rows if row.get("events") is not None]


def stream_metrics(recordings: Sequence[Recording]) -> dict[str, Any]:
    """Return the `stream` block of `metrics.json`; definitions: `docs/reference/metrics.md`.

    Raises:
        InputError: a recording's row does not say how long it is.
    """
    audio_s = sum(_length_s(recording) for recording in recordings)
    onset, offset, latency_s = [], [], []
    accepted_wrongly = accepted_outside = 0
    for recording in recordings:
        for number, event in enumerate(recording.events):
            owner = recording.matching.span_of_event[number]
            directed = owner is not None and recording.spans[owner].label == DIRECTED
            if event["decision"] == "accepted" and not directed:
                accepted_wrongly += 1
                accepted_outside += owner is None
            if (delay := (event.get("latency_ms") or {}).get("endpoint_to_decision")) is not None:
                latency_s.append(delay / 1000)
        for span, members in zip(recording.spans, recording.matching.events_of_span, strict=True):
            if members:
                onset.append(recording.events[members[0]]["start_s"] - span.start_s)
                offset.append(max(recording.events[i]["end_s"] for i in members) - span.end_s)
    spans = [item for recording in recordings for item in recording.span_items()]
    directed_spans = [item for item in spans if item["label"] == DIRECTED]
    refused = sum(item["decision"] != "accepted" for item in directed_spans)
    missed = sum(len(recording.matching.missed) for recording in recordings)
    return {
        "spans": len(spans),
        "found": len(spans) - missed,
        "missed": missed,
        "splits": sum(len(recording.matching.split) for recording in recordings),
        "merges": sum(len(recording.matching.merging) for recording in recordings),
        "false_accepts_per_hour": accepted_wrongly * 3600 / audio_s if audio_s > 0 else None,
        "onset_error_s": _error(onset),
        "offset_error_s": _error(offset),
        "endpoint_to_decision_s": percentiles(latency_s),
        "recordings": len(recordings),
        "hours": audio_s / 3600,
        "events": sum(len(recording.events) for recording in recordings),
        "dropped": sum(recording.dropped for recording in recordings),
        "false_accepts": accepted_wrongly,
        "false_accepts_outside_spans": accepted_outside,
        "directed_spans": len(directed_spans),
        "directed_spans_not_accepted": refused,
        "false_reject": refused / len(directed_spans) if directed_spans else None,
        "curve": stream_curve(recordings, audio_s),
    }


def _error(differences: Sequence[float]) -> dict[str, float | None]:
    """Return percentiles of the distance, and the median with its sign (event - span)."""
    bias = float(np.median(differences)) if differences else None
    return percentiles(np.abs(differences)) | {"bias": bias}  # type: ignore[arg-type]


def _length_s(recording: Recording) -> float:
    length = duration_of(recording.row)
    if length is None:
        raise InputError(
            f"{recording.row.get('audio_filepath')}: neither audio_s nor duration says how long "
            "the recording is; add its duration in seconds"
        )
    return length
