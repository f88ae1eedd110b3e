"""What the segmenter remembers."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation._history import History
from turbo_stream.segmentation._utterance import Frame, OpenUtterance
from turbo_stream.segmentation.level import Level, NoiseFloor


@dataclass
class SegmenterState:
    """Everything the segmenter remembers of the stream, the detector's own state aside."""

    history: History
    floor_low: NoiseFloor
    floor_high: NoiseFloor
    end_silence: EndSilence
    recent: deque[Frame]
    """The newest frames while nobody speaks: the onset window."""

    utterance: OpenUtterance | None = None
    pending: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    """Samples that do not fill a frame yet."""

    bridged: deque[tuple[int, int]] = field(default_factory=deque)
    """Lost stretches replaced by silence, as long as the history reaches back to them."""

    next_id: int = 0
    last_end: int = 0
    """No utterance may begin before this sample."""

    pause_start: int | None = None
    """End of the newest utterance, unless the stream was interrupted since."""

    fed_samples: int = 0
    lost_samples: int = 0
    speech_samples: int = 0

    @property
    def floor(self) -> Level:
        """How loud the room is when nobody speaks."""
        return Level(self.floor_low.db, self.floor_high.db)
