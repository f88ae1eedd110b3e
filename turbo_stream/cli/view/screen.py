"""The live screen: level, state, verdicts and totals, readable at 80 columns."""

from __future__ import annotations

from collections import deque
from statistics import median

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from turbo_stream.audio.source import Source
from turbo_stream.cli.view import wording
from turbo_stream.cli.view.level_meter import FLOOR_DB, LevelMeter
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    Ready,
    SourceChanged,
    SpeechStarted,
    Utterance,
)
from turbo_stream.timebase import to_seconds

# The meter follows speech well enough at this rate, and an idle screen stays under 2 % of a core.
_REFRESH_HZ = 4
_STYLES = {"accepted": "bold green", "rejected": "red", "dropped": "yellow"}
_ROWS_AROUND_THE_TABLE = 8
_MOST_ROWS = 200


class Screen:
    """Redraws itself while it is open; what it last showed stays on the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(self, console=console, refresh_per_second=_REFRESH_HZ)
        self._ready: Ready | None = None
        self._meter: LevelMeter | None = None
        self._speaking_since: float | None = None
        self._utterances: deque[Utterance] = deque(maxlen=_MOST_ROWS)
        self._latencies_ms: deque[float] = deque(maxlen=_MOST_ROWS)
        self._counts = {"accepted": 0, "rejected": 0, "dropped": 0}
        self._notice = ""
        self._finished: Finished | None = None

    def watch(self, source: Source) -> Source:
        """Return `source` with an ear on its level."""
        self._meter = LevelMeter(source)
        return self._meter

    def show(self, event: Event) -> None:
        """Take the event into the next redraw."""
        match event:
            case Ready():
                self._ready = event
                self._live.start()
            case SpeechStarted():
                self._speaking_since = event.time_s
            case Utterance():
                self._add(event)
            case GapReported():
                self._notice = f"{to_seconds(event.lost_samples):.2f} s lost: {event.cause}"
            case SourceChanged():
                self._notice = f"source {event.state} {event.detail}".rstrip()
            case Finished():
                self._finished = event

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the present state."""
        heading = Text(wording.heading(self._ready) if self._ready else "", "bold")
        heading.truncate(options.max_width, overflow="ellipsis")
        rows = max(3, (options.height or console.height) - _ROWS_AROUND_THE_TABLE)
        yield Group(
            heading,
            Rule(style="dim"),
            self._level(),
            Text(self._notice, "yellow", no_wrap=True, overflow="ellipsis"),
            self._table(rows),
            Rule(style="dim"),
            Text(self._totals(), "dim"),
        )

    def _add(self, utterance: Utterance) -> None:
        self._speaking_since = None
        self._utterances.append(utterance)
        self._counts[utterance.decision] += 1
        if "endpoint_to_decision" in utterance.latency_ms:
            self._latencies_ms.append(utterance.latency_ms["endpoint_to_decision"])

    def _level(self) -> Text:
        level_db = self._meter.level_db if self._meter else FLOOR_DB
        at = self._meter.position_s if self._meter else 0.0
        meter = wording.bar(1 - level_db / FLOOR_DB, 30)
        line = Text.assemble("level ▕", (meter, "cyan"), f"▏{level_db:4.0f} dB   ")
        if self._speaking_since is None:
            return line.append("○ silence", "dim")
        return line.append(f"● speech {max(0.0, at - self._speaking_since):.1f} s", "bold cyan")

    def _table(self, rows: int) -> Table:
        table = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
        table.add_column("time", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column("directed", no_wrap=True)
        table.add_column("words", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("after", justify="right", no_wrap=True)
        for utterance in list(self._utterances)[-rows:]:
            style = _STYLES[utterance.decision]
            probability = utterance.directed_probability
            directed = Text("")
            if probability is not None:
                directed = Text.assemble(
                    f"{probability:4.2f} ▕", (wording.bar(probability), style), "▏"
                )
            table.add_row(
                wording.clock(utterance.start_s),
                Text(wording.VERDICTS[utterance.decision], style),
                directed,
                Text(wording.said(utterance), "" if utterance.text is not None else "dim"),
                wording.latency(utterance),
            )
        return table

    def _totals(self) -> str:
        if self._finished is not None:
            return wording.totals(self._finished)
        counts = ", ".join(f"{count} {decision}" for decision, count in self._counts.items())
        at = wording.clock(self._meter.position_s if self._meter else 0.0)
        typical = (
            f" · verdict after {median(self._latencies_ms):.0f} ms" if self._latencies_ms else ""
        )
        return f"{at} heard · {counts}{typical} · Ctrl-C ends"
