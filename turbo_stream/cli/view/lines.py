"""One line an utterance, for pipes and dumb terminals."""

import json
from typing import TextIO

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Source
from turbo_stream.cli.output import takes_everything
from turbo_stream.cli.view import view as wording
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    Ready,
    Revised,
    SourceChanged,
    Utterance,
)


class PlainLines:
    """Writes what a person wants to know; every line is flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def watch(self, source: Source) -> Source:
        """Return `source` as it is."""
        return source

    def show(self, event: Event) -> None:
        """Write the event's line; the start of speech and partial texts have none."""
        match event:
            case Ready():
                self._line(wording.heading(event))
            case Utterance():
                self._line(self._utterance(event))
            case Revised():
                self._line(wording.revised(event))
            case GapReported():
                lost_s = to_seconds(event.lost_samples)
                self._line(f"{wording.clock(event.time_s)}  {lost_s:.2f} s lost: {event.cause}")
            case SourceChanged():
                self._line(f"source {event.state} {event.detail}".rstrip())
            case Finished():
                self._line(wording.totals(event))

    def close(self) -> None:
        """Do nothing: each line is already out."""

    def _utterance(self, utterance: Utterance) -> str:
        span = f"{wording.clock(utterance.start_s)}–{wording.clock(utterance.end_s)}"
        probability = utterance.directed_probability
        meter = " " * (wording.BAR_CELLS + 7)
        if probability is not None:
            meter = f"{probability:4.2f} ▕{wording.bar(probability)}▏"
        row = (
            f"{span:>15}  {wording.DECISIONS[utterance.decision]:8}  {meter}  "
            f"{wording.said(utterance)}  {wording.latency(utterance)}"
        )
        return row.rstrip()

    def _line(self, text: str) -> None:
        print(shown(text), file=self._stream, flush=True)


class JsonLines:
    """Writes events as they happen; every line is flushed.

    What the encoding of the stream lacks is escaped as JSON does it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._escape = not takes_everything(stream)

    def watch(self, source: Source) -> Source:
        """Return `source` as it is."""
        return source

    def show(self, event: Event) -> None:
        """Write one line."""
        line = json.dumps(event.to_json(), ensure_ascii=self._escape, allow_nan=False)
        print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Do nothing: each line is already out."""
