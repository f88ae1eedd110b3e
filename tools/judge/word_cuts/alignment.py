"""Where in an utterance of known text each word stands: forced alignment by PocketSphinx."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE

_FRAME_SAMPLES = SAMPLE_RATE // 100


class Span(NamedTuple):
    """A stretch of samples, the end not included."""

    start: int
    end: int


class WordAligner:
    """Finds words of a transcript in the sound.

    Not by energy alone: a word amid a sentence touches its neighbours, and a piece of a neighbour
    at the edge of a cut would say that there was a sentence.
    """

    def __init__(self) -> None:
        """Load PocketSphinx's English sounds and dictionary, without a language model."""
        from pocketsphinx import Decoder

        self._decoder = Decoder(lm=None, loglevel="FATAL", samprate=SAMPLE_RATE)

    def spelling(self, word: str) -> tuple[str, ...]:
        """Return `word` as words of the dictionary: itself, or two that make it up; () if none.

        Invented names are often two words written as one, such as `thinkengine`. Of several
        splits the most even one is taken.
        """
        if self._decoder.lookup_word(word):
            return (word,)
        splits = sorted(range(2, len(word) - 1), key=lambda at: abs(2 * at - len(word)))
        for at in splits:
            parts = (word[:at], word[at:])
            if all(self._decoder.lookup_word(part) for part in parts):
                return parts
        return ()

    def find(self, pcm: NDArray[np.int16], text: str, word: str) -> Span | None:
        """Return where the last `word` of `text` is said in `pcm`, `[N]` int16 at 16 kHz.

        None where the text does not hold the word, or cannot be aligned with the sound. Words
        that no dictionary has are left out of the alignment.
        """
        wanted = self.spelling(word.lower())
        given = re.findall(r"[\w']+", text.lower())
        if not wanted or word.lower() not in given:
            return None
        spelled = [part for each in given for part in self.spelling(each)]
        self._decoder.set_align_text(" ".join(spelled))
        self._decoder.start_utt()
        self._decoder.process_raw(np.ascontiguousarray(pcm).tobytes(), full_utt=True)
        self._decoder.end_utt()
        segments = self._decoder.seg()
        spoken = list(_words(segments)) if segments else []
        return _last(spoken, wanted)


def _words(segments: Iterator) -> Iterator[tuple[str, Span]]:
    """Yield the words of an alignment, without pauses and variants' numbers."""
    for segment in segments:
        name = re.sub(r"\(\d+\)$", "", segment.word)
        if not name.startswith(("<", "[", "+")):
            start, end = segment.start_frame, segment.end_frame + 1
            yield name, Span(start * _FRAME_SAMPLES, end * _FRAME_SAMPLES)


def _last(spoken: Sequence[tuple[str, Span]], wanted: tuple[str, ...]) -> Span | None:
    for at in range(len(spoken) - len(wanted), -1, -1):
        part = spoken[at : at + len(wanted)]
        if tuple(name for name, _ in part) == wanted:
            return Span(part[0][1].start, part[-1][1].end)
    return None
