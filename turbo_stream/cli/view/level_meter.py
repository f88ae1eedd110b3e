"""An ear on a source: its level and position, for a screen to show."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, Gap, Source, SourceItem

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
