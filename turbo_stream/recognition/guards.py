"""When a text is not to be believed: Whisper also writes fluently where nothing was said."""

import math
import re
import string
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Literal

from turbo_stream.recognition.recognizer import Confidence, Transcript

Guard = Literal["silence", "repeats", "cap"]

NO_SPEECH_PROB = 0.6
"""Above this, together with `AVG_LOGPROB`, nothing was said (Whisper's own pair of thresholds)."""

AVG_LOGPROB = -1.0
"""Natural log-probability of a mean token, below which the text is a guess."""

COMPRESSION_RATIO = 2.4
"""Above this the text repeats itself (Whisper's own threshold)."""

REPEATS = 6
"""From so many times the same words in a row on, it is asked whether there was time for them."""

DOUBTFUL_COMPRESSION_RATIO = 1.8
"""Above this a text is worth a second reading; 3 in 10,000 things that people say are."""

_LONGEST_PHRASE = 8

_TOKENS_PER_S = 10.0
_TOKENS_MORE = 10

_SYLLABLES_PER_S = 9.0
_SYLLABLES_MORE = 2

_NUCLEUS = re.compile(
    r"\d|[aeiouyøœæαεηιουωаеёиоуыэюяєії]+|[\u1161-\u1175\u3040-\u30ff\u3400-\u9fff]"
)
"""What makes a syllable of decomposed text: a digit, a run of vowels, or a character (Korean, kana,
Chinese) that makes one by itself."""


@dataclass(frozen=True)
class _Run:
    """A phrase that follows itself."""

    start: int
    """Its first word."""

    size: int
    """Words of the phrase."""

    count: int
    """How often it is said."""


def token_cap(duration_s: float) -> int:
    """Return how many tokens `duration_s` of sound can hold at most.

    English speech runs at 3 to 6 tokens a second, other scripts and small vocabularies at up to
    twice that; a decoder still writing at 10 a second, and 10 more, is in a loop.
    """
    return int(duration_s * _TOKENS_PER_S) + _TOKENS_MORE


def syllable_cap(duration_s: float) -> int:
    """Return how many syllables a person can say in `duration_s`.

    Repeating one syllable as fast as they can people reach 6 to 7 a second, in hurried talk up to
    9.
    """
    return int(duration_s * _SYLLABLES_PER_S) + _SYLLABLES_MORE


def compression_ratio(text: str) -> float:
    """Return the UTF-8 bytes of `text` over its zlib-compressed bytes; 1 for an empty text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0


def find_guard(
    text: str, confidence: Confidence, duration_s: float, *, capped: bool
) -> Guard | None:
    """Return the guard that forbids `text`, heard in `duration_s` of sound, or None.

    `capped` says that decoding ran into `token_cap` instead of ending by itself. Who says "stop"
    seven times is believed: repeats are forbidden only where there was no time for them.
    """
    if confidence.no_speech_prob > NO_SPEECH_PROB and confidence.avg_logprob < AVG_LOGPROB:
        return "silence"
    if capped:
        return "cap"
    repeats = (
        confidence.compression_ratio > COMPRESSION_RATIO
        or _longest_run(text.split()).count >= REPEATS
    )
    return "repeats" if repeats and _syllables(text) > syllable_cap(duration_s) else None


def possible_text(text: str, duration_s: float) -> str:
    """Return `text` without what nobody can have said in `duration_s`; at least its first word.

    Of a phrase that follows itself so many are left as there was time for, then the end is cut.
    """
    words, room = text.split(), syllable_cap(duration_s)
    run = _longest_run(words)
    surplus = _syllables(text) - room
    if run.count > 1 and surplus > 0:
        phrase = words[run.start : run.start + run.size]
        cut = min(run.count - 1, math.ceil(surplus / _syllables(" ".join(phrase))))
        del words[run.start : run.start + run.size * cut]
    while len(words) > 1 and _syllables(" ".join(words)) > room:
        words.pop()
    # A script without blanks is a single word here.
    return " ".join(words) if _syllables(" ".join(words)) <= room else words[0][:room]


def is_doubtful(transcript: Transcript) -> bool:
    """Return whether a longer window may read better: short ones set the real weights looping.

    A low log-probability is no such sign: what the longer window then writes is as often wrong.
    """
    if transcript.guard in ("cap", "repeats"):
        return True
    confidence = transcript.confidence
    return confidence is not None and confidence.compression_ratio > DOUBTFUL_COMPRESSION_RATIO


def _longest_run(words: list[str]) -> _Run:
    """Return the phrase of up to 8 words that follows itself most often."""
    bare = [word.lower().strip(string.punctuation) for word in words]
    longest = _Run(0, 1, min(len(words), 1))
    for size in range(1, _LONGEST_PHRASE + 1):
        equal = 0
        for place, (before, after) in enumerate(zip(bare, bare[size:], strict=False)):
            equal = equal + 1 if before == after else 0
            count = equal // size + 1
            if count > longest.count:
                longest = _Run(place + 1 - equal, size, count)
    return longest


def _syllables(text: str) -> int:
    """Return about how many syllables `text` has: at least one a word."""
    words = unicodedata.normalize("NFD", text.lower()).split()
    return sum(max(1, len(_NUCLEUS.findall(word))) for word in words)
