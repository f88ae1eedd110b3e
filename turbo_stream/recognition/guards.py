"""When a text is not to be believed: Whisper also writes fluently where nothing was said."""

import zlib
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
"""So many times in a row nobody says the same words; a loop too short for the ratio above."""

DOUBTFUL_COMPRESSION_RATIO = 1.8
"""Above this a text is worth a second reading; 3 in 10,000 things that people say are."""

_LONGEST_PHRASE = 8

_TOKENS_PER_S = 10.0
_TOKENS_MORE = 10


def token_cap(duration_s: float) -> int:
    """Return how many tokens `duration_s` of sound can hold at most.

    English speech runs at 3 to 6 tokens a second, other scripts and small vocabularies at up to
    twice that; a decoder still writing at 10 a second, and 10 more, is in a loop.
    """
    return int(duration_s * _TOKENS_PER_S) + _TOKENS_MORE


def compression_ratio(text: str) -> float:
    """Return the UTF-8 bytes of `text` over its zlib-compressed bytes; 1 for an empty text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0


def find_guard(text: str, confidence: Confidence, *, capped: bool) -> Guard | None:
    """Return the guard that forbids `text`, or None.

    `capped` says that decoding ran into `token_cap` instead of ending by itself.
    """
    if confidence.no_speech_prob > NO_SPEECH_PROB and confidence.avg_logprob < AVG_LOGPROB:
        return "silence"
    if capped:
        return "cap"
    if confidence.compression_ratio > COMPRESSION_RATIO or _longest_run(text) >= REPEATS:
        return "repeats"
    return None


def is_doubtful(transcript: Transcript) -> bool:
    """Return whether a longer window may read better: short ones set the real weights looping.

    A low log-probability is no such sign: what the longer window then writes is as often wrong.
    """
    if transcript.guard in ("cap", "repeats"):
        return True
    confidence = transcript.confidence
    return confidence is not None and confidence.compression_ratio > DOUBTFUL_COMPRESSION_RATIO


def _longest_run(text: str) -> int:
    """Return how often one phrase of up to 8 words follows itself at most."""
    words = text.lower().split()
    longest = min(len(words), 1)
    for size in range(1, _LONGEST_PHRASE + 1):
        equal = 0
        for before, after in zip(words, words[size:], strict=False):
            equal = equal + 1 if before == after else 0
            longest = max(longest, equal // size + 1)
    return longest
