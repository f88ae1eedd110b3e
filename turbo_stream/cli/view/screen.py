"""The live screen, readable at 80 columns: decisions scroll by, level and totals stay below.

turbo-listen 0.1.0 · asr whisper:tiny.en · vad silero · turbo-rej-en ≥ 0.50
  0:01.2  ACCEPTED  0.97 ▕█████████▋▏  turn on the kitchen lights        41 ms
  0:04.5  rejected  0.03 ▕▎         ▏  (not for the device)              38 ms
──────────────────────────────────────────────────────────────────────────────
level ▕█████████████████▊            ▏ -24 dB   ● speech 0.9 s
0:23.4 heard · 1 accepted, 1 rejected, 0 dropped · in 40 ms · Ctrl-C ends
"""

import math
from collections import deque
from collections.abc import Iterator
from statistics import median

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, Gap, Source, SourceItem
from turbo_stream.cli.correction_keys import HELP
from turbo_stream.cli.view import view as wording
from turbo_stream.cli.view._library_noise import LibraryNoise
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    Partial,
    Ready,
    Revised,
    SourceChanged,
    SpeechStarted,
    Utterance,
)

FLOOR_DB = -60.0
"""dBFS below which the meter shows nothing."""


class LevelMeter:
    """A source that passes everything on and remembers how loud the last block was."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.live = source.live
        self.level_db = FLOOR_DB
        """RMS of the last block in dBFS."""
        self.position_s = 0.0

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield the items of the source."""
        for item in self._source:
            match item:
                case Block(pcm) if len(pcm):
                    self.level_db = _level_db(pcm)
                    self.position_s += to_seconds(len(pcm))
                case Gap(lost_samples):
                    self.position_s += to_seconds(lost_samples)
            yield item

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def _level_db(pcm: np.ndarray) -> float:
    power = float(np.mean(np.square(pcm, dtype=np.float32))) / 32768.0**2
    return max(FLOOR_DB, 10 * math.log10(power)) if power > 0 else FLOOR_DB


# The meter follows speech well enough at this rate, and an idle screen stays under 2 % of a core.
_REFRESH_HZ = 4
_STYLES = {"accepted": "bold green", "rejected": "red", "dropped": "yellow"}
_TYPICAL_OF = 100
"""Utterances whose median latency is shown."""


_NARROW = 64
"""Columns below which bar and latency make room for the words."""


class Screen:
    """Prints what is final and redraws what is not; all decisions stay on the terminal."""

    def __init__(self, console: Console, *, with_keys: bool = False) -> None:
        """Draw on `console`; `with_keys`: decisions can be corrected by keys, which is told."""
        self._console = console
        self._with_keys = with_keys
        self._live = Live(self, console=console, refresh_per_second=_REFRESH_HZ)
        self._noise = LibraryNoise()
        self._meter: LevelMeter | None = None
        self._speaking_since: float | None = None
        self._partial = ""
        self._counts = {"accepted": 0, "rejected": 0, "dropped": 0}
        self._latencies_ms: deque[float] = deque(maxlen=_TYPICAL_OF)
        self._finished: Finished | None = None

    def watch(self, source: Source) -> Source:
        """Return `source` with an ear on its level."""
        self._meter = LevelMeter(source)
        return self._meter

    def show(self, event: Event) -> None:
        """Print the event, or take it into the next redraw."""
        match event:
            case Ready():
                self._console.print(Text(shown(wording.heading(event)), "bold"))
                self._noise.hold()
                self._live.start()
            case SpeechStarted():
                self._speaking_since = event.time_s
            case Partial():
                self._partial = shown(event.text)
            case Utterance():
                self._add(event)
                self._console.print(_row(event, narrow=self._console.width < _NARROW))
            case Revised():
                self._notice(wording.revised(event))
            case GapReported():
                lost_s = to_seconds(event.lost_samples)
                self._notice(f"{wording.clock(event.time_s)}  {lost_s:.2f} s lost: {event.cause}")
            case SourceChanged():
                self._notice(f"source {event.state} {event.detail}".rstrip())
            case Finished():
                self._finished = event

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        try:
            self._live.stop()
        finally:
            written = self._noise.release()
        if self._finished is None:
            # It broke off: what libraries had to say may be why.
            for line in written:
                self._notice(line)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the part that is not final yet."""
        yield Rule(style="dim")
        if self._finished is not None:
            yield Text(wording.totals(self._finished))
            return
        yield self._level()
        yield Text(self._so_far(), "dim")
        if self._with_keys:
            yield Text(HELP, "dim")

    def _add(self, utterance: Utterance) -> None:
        self._speaking_since, self._partial = None, ""
        self._counts[utterance.decision] += 1
        if "endpoint_to_decision" in utterance.latency_ms:
            self._latencies_ms.append(utterance.latency_ms["endpoint_to_decision"])

    def _notice(self, text: str) -> None:
        self._console.print(Text(shown(text), "yellow"))

    def _level(self) -> Text:
        level_db = self._meter.level_db if self._meter else FLOOR_DB
        at = self._meter.position_s if self._meter else 0.0
        meter = wording.bar(1 - level_db / FLOOR_DB, 30)
        line = Text.assemble("level ▕", (meter, "cyan"), f"▏{level_db:4.0f} dB   ")
        if self._speaking_since is None:
            return line.append("○ silence", "dim")
        line.append(f"● speech {max(0.0, at - self._speaking_since):.1f} s  ", "bold cyan")
        line.append(self._partial, "dim")
        line.truncate(self._console.width, overflow="ellipsis")
        return line

    def _so_far(self) -> str:
        counts = ", ".join(f"{count} {decision}" for decision, count in self._counts.items())
        at = wording.clock(self._meter.position_s if self._meter else 0.0)
        typical = ""
        if self._latencies_ms:
            typical = f" · in {median(self._latencies_ms):.0f} ms"
        return f"{at} heard · {counts}{typical} · Ctrl-C ends"


def _row(utterance: Utterance, *, narrow: bool) -> Table:
    style = _STYLES[utterance.decision]
    directed = Text("")
    if (probability := utterance.directed_probability) is not None:
        directed = Text(f"{probability:4.2f}")
        if not narrow:
            directed = Text.assemble(directed, " ▕", (wording.bar(probability), style), "▏")
    row = Table.grid(padding=(0, 2, 0, 0), expand=True)
    row.add_column(width=8, justify="right")
    row.add_column(width=8)
    row.add_column(width=4 if narrow else wording.BAR_CELLS + 7)
    row.add_column(ratio=1)
    cells: list[Text | str] = [
        wording.clock(utterance.start_s),
        Text(wording.DECISIONS[utterance.decision], style),
        directed,
        Text(shown(wording.said(utterance)), "" if utterance.text is not None else "dim"),
    ]
    if not narrow:
        row.add_column(width=8, justify="right")
        cells.append(wording.latency(utterance))
    row.add_row(*cells)
    return row
