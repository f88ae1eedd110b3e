"""An utterance that has begun and not yet ended, as the frames seen so far describe it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from turbo_stream.segmentation.level import Level
from turbo_stream.segmentation.segment import Segment


class Frame(NamedTuple):
    """What is remembered of one frame."""

    start: int
    """First sample, stream time."""

    stop: int
    """One past the last sample."""

    level: Level
    voiced: bool


@dataclass
class OpenUtterance:
    """State of the utterance being heard. Positions are stream time in samples."""

    id: int
    start_sample: int

    earliest_pcm: int
    """Pre-roll may not reach before this: there the utterance before it ends."""

    frames: list[Frame] = field(default_factory=list)
    """Every frame from the onset on, at most the maximum length."""

    voiced_samples: int = 0
    speech_end: int = 0
    """End of the last frame that certainly belongs to the speech."""

    draft: Segment | None = None
    """What it is if the present pause is its end."""

    def after_speech(self, newest: int = 0) -> list[Frame]:
        """Return the frames behind `speech_end`, of the `newest` ones where that is given."""
        return [f for f in self.frames[-newest:] if f.start >= self.speech_end]

    def extend(self, frames: list[Frame]) -> None:
        """Count `frames`, the newest ones, as speech."""
        self.voiced_samples += sum(f.stop - f.start for f in frames if f.voiced)
        self.speech_end = frames[-1].stop
        self.draft = None


def split_point(frames: list[Frame], shortest_pause: int) -> int:
    """Return where to cut `frames`: amid the longest pause, else where it is quietest.

    A pause is a run of unvoiced frames of at least `shortest_pause` samples; the level is
    smoothed over three frames.
    """
    best_start = best_stop = run_start = frames[0].start
    for frame in frames:
        if frame.voiced:
            run_start = frame.stop
        elif frame.stop - run_start > best_stop - best_start:
            best_start, best_stop = run_start, frame.stop
    if best_stop - best_start >= shortest_pause:
        return (best_start + best_stop) // 2
    levels = [max(f.level) for f in frames]
    smooth = [
        sum(levels[max(0, i - 1) : i + 2]) / len(levels[max(0, i - 1) : i + 2])
        for i in range(len(levels))
    ]
    quietest = frames[smooth.index(min(smooth))]
    return (quietest.start + quietest.stop) // 2


def loud_level(frames: list[Frame]) -> Level:
    """Return the level of the loud parts of `frames`: that which a tenth of them exceeds."""
    rank = len(frames) * 9 // 10
    return Level(
        sorted(f.level.low_db for f in frames)[rank],
        sorted(f.level.high_db for f in frames)[rank],
    )
