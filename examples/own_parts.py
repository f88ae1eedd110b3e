"""Sound, recognizer and detector of your own: each is a small Protocol, none a base class.

python examples/own_parts.py                   # the recording that ships
python examples/own_parts.py recording.raw     # s16le, 16 kHz, mono
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from turbo_stream import Block, Confidence, Gap, Pipeline, Score, Transcript, Utterance


class Robot:
    """A `Source`: yields what its microphones heard, and says what was lost."""

    live = False
    """True for sound that comes by the clock and is lost when nobody reads."""

    def __init__(self, pcm: np.ndarray) -> None:
        self._pcm = pcm
        self._closed = False

    def __iter__(self) -> Iterator[Block | Gap]:
        yield Gap(1600, "the robot was starting")
        for start in range(0, len(self._pcm), 512):
            if self._closed:
                return
            yield Block(self._pcm[start : start + 512])

    def close(self) -> None:
        self._closed = True


class Length:
    """A `Recognizer`: yours would return words."""

    name = "length"

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        return Transcript(f"{len(pcm) / 16_000:.1f} seconds", Confidence(avg_logprob=-0.1))

    def warm_up(self) -> None:
        pass


class Loudness:
    """A `Detector`: who speaks up means the device. The threshold is the stream's."""

    name = "loudness"

    def score(self, pcm: np.ndarray, transcript: Transcript) -> Score:
        level_db = 10 * np.log10(np.mean((pcm / 32768.0) ** 2) + 1e-12)
        directed = float(1 / (1 + np.exp(-(level_db + 25))))
        return Score(directed, {"directed": directed, "not_directed": 1 - directed})

    def warm_up(self) -> None:
        pass


def main() -> None:
    """Print every decision of the three."""
    pipeline = Pipeline.load(asr=Length(), detector=Loudness(), threshold=0.5)
    if sys.argv[1:]:
        pcm = np.fromfile(sys.argv[1], "<i2").astype(np.int16)
    else:
        pcm, _ = soundfile.read(Path(__file__).with_name("kitchen.flac"), dtype="int16")
    for event in pipeline.run(Robot(pcm)):
        if isinstance(event, Utterance):
            print(f"{event.start_s:6.2f} s {event.decision}: {event.text}")


if __name__ == "__main__":
    main()
