"""Where speech really begins and ends, around the place the detector gave."""

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.segmentation._history import History
from turbo_stream.segmentation.level import Level, block_levels

BLOCK = ms_to_samples(10)
"""Samples in the blocks whose level decides."""

OUTWARD = ms_to_samples(200)
"""How far an edge may move away from the speech: unvoiced onsets and soft ends."""

INWARD = ms_to_samples(120)
"""How far an edge may move into the speech: detectors fire early and hang over."""

HOLE_BLOCKS = 6
"""Quiet blocks that may lie inside an edge, such as the closure before a plosive."""

OVER_NOISE_DB = 6.0
UNDER_PEAK_DB = 30.0


def find_onset(history: History, coarse: int, floor: Level, peak: Level, earliest: int) -> int:
    """Return the first sample of the speech that the detector saw begin at `coarse`.

    `floor` is the level of the room, `peak` that of the loud parts of the speech; the answer is
    never before `earliest`.
    """
    start = max(earliest, history.oldest, coarse - OUTWARD)
    pcm = history.read(start, min(history.end, coarse + INWARD))
    moved = _outermost(pcm, (coarse - start) // BLOCK, floor, peak)
    return coarse if moved is None else start + moved * BLOCK


def find_offset(history: History, coarse: int, floor: Level, peak: Level, earliest: int) -> int:
    """Return one past the last sample of the speech that the detector saw end at `coarse`.

    `floor` is the level of the room, `peak` that of the loud parts of the speech; the answer is
    never before `earliest`.
    """
    stop = min(history.end, coarse + OUTWARD)
    start = max(earliest, history.oldest, coarse - INWARD)
    moved = _outermost(history.read(start, stop)[::-1], (stop - coarse) // BLOCK, floor, peak)
    return coarse if moved is None else stop - moved * BLOCK


def _outermost(pcm: NDArray[np.int16], anchor: int, floor: Level, peak: Level) -> int | None:
    """Return the first loud block that is tied to `anchor`, reading towards the speech."""
    if pcm.size < BLOCK:
        return None
    low, high = block_levels(pcm, BLOCK)
    loud = (low > _threshold(floor.low_db, peak.low_db)) | (
        high > _threshold(floor.high_db, peak.high_db)
    )
    inside = np.flatnonzero(loud[anchor:])
    if not inside.size:
        return None
    edge = anchor + int(inside[0])
    for block in range(edge - 1, -1, -1):
        if edge - block > HOLE_BLOCKS + 1:
            break
        if loud[block]:
            edge = block
    return edge


def _threshold(floor_db: float, peak_db: float) -> float:
    return max(floor_db + OVER_NOISE_DB, peak_db - UNDER_PEAK_DB)
