"""What a name does in a sentence: calls the device, is mentioned, or is not there at all.

English: a name calls at the front or the end of a sentence, after a greeting, or between commas
(Zwicky 1974, "Hey, Whatsyourname!", of vocatives as calls and addresses). Elsewhere it is a word
like others: "I told Friday to stop", "on Friday we stop".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.addressing.sentences import Sentence, sentences

NameUse = Literal["called", "unclear", "mentioned", "absent"]
"""`unclear` can be either: "Friday is the door locked"."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GREETINGS = _words(
    """
    a ah alright and but dear good hello hey hi hiya morning afternoon evening night no now oh
    ok okay please right so sorry thanks thank then uh um excuse me listen wait well yeah yes yo
    you your hmm mm er erm look actually anyway
    """
)
"""What may stand before a name that begins a sentence."""

_CALLING = _words(
    """
    hello hey hi hiya okay ok yo excuse-me
    """
)
"""After these a name calls, wherever it stands."""

_MISHEARD_HEY = _words(
    """
    day eh hay he heh pay tay they
    """
)
"""What a recognizer makes of "hey" where it stands first, alone before a name."""

_ADDED = _words(
    """
    please thanks thank you now will would can could okay ok right then
    """
)
"""What may stand behind a name that ends a sentence."""

_GOVERNING = _words(
    """
    a about above after an and are as ask asked at be been before behind below beside between
    buy by call called calls every for from get got had has hate have her his in is it's its
    know last like love meet met my named near need next of on or our over said same saw says
    see since some tell than that the their these this those through till to told under until
    use used want was were with without your
    """
)
"""Before these a name is part of the sentence, so that one at its end is mentioned."""

_INTRODUCING = _words(
    """
    am are as be called is like named said say than was were
    """
)
"""Behind these a name is what is spoken of, even after a comma: "my favorite name is, Friday"."""

_PREDICATE = _words(
    """
    was were has had says said did does didn't doesn't isn't wasn't hasn't hadn't won't and or
    of who which that night morning afternoon evening comes came gets got goes went seems seemed
    sounds looks looked knows knew thinks thought wants wanted likes liked told asked left works
    worked became means meant
    """
)
"""Behind a name that begins a sentence these make it the one spoken of."""

_ASKING = _words(
    """
    is are will would can could should do shall may might
    """
)
"""Behind a name these begin a question to it or a statement about it."""

_OPENING = _words(
    """
    what's where's who's how's when's let's
    """
)
"""Behind a name these begin what is said to it, though they end as a predicate does."""

_SUBJECTS = _words(
    """
    i you he she it we they there the my our your this that these those his her anybody anyone
    somebody someone everything a
    """
)
"""A word that makes `_ASKING` a question: "Friday, is it raining"."""

_CLOSING = frozenset(
    {
        *("thanks", "thank you", "thank you very much", "thanks a lot", "never mind", "nevermind"),
        *("that's all", "that is all", "that will be all", "forget it", "no thanks", "goodbye"),
        *("no thank you", "that's it", "bye", "bye bye"),
    }
)


@dataclass(frozen=True)
class Said:
    """What of a text matters to how the device is addressed; holds none of its words."""

    use: NameUse = "absent"
    name: str | None = None
    """The device's own name that was found, as it was given."""

    closes: bool = False
    """Whether it ends a conversation: "thanks", "never mind"."""


def heard(text: str, names: NameSearch | None) -> Said:
    """Return what `text` does with the device's `names`; the clearest use counts."""
    found = sentences(text)
    closes = bool(found) and " ".join(found[-1].words) in _CLOSING
    best = Said(closes=closes)
    if names is None:
        return best
    for sentence in found:
        match = names.find(sentence.words)
        if match is None:
            continue
        use = _use(sentence, match.start, match.end)
        if _ORDER.index(use) < _ORDER.index(best.use):
            rest = [*sentence.words[: match.start], *sentence.words[match.end :]]
            best = Said(use, match.name, closes or " ".join(rest) in _CLOSING)
    return best


_ORDER: Sequence[NameUse] = ("called", "unclear", "mentioned", "absent")


def _use(sentence: Sentence, start: int, end: int) -> NameUse:
    """Return what the name at words `start` to `end` does."""
    words, commas = sentence.words, sentence.commas
    before, behind = words[:start], words[end:]
    comma_before, comma_behind = start - 1 in commas, end - 1 in commas
    if before and before[-1] in _CALLING:
        return "called"
    at_front = all(word in _GREETINGS for word in before)
    at_front |= len(before) == 1 and before[0] in _MISHEARD_HEY
    at_end = all(word in _ADDED for word in behind)
    if at_front and at_end:
        return "called"
    if at_front:
        return "called" if comma_behind else _at_front(behind)
    if at_end:
        governing = _INTRODUCING if comma_before else _GOVERNING
        return "mentioned" if before[-1] in governing else "called"
    if comma_before and comma_behind:
        return "unclear"
    return "mentioned"


def _at_front(behind: Sequence[str]) -> NameUse:
    if behind[0] in _OPENING:
        return "called"
    if behind[0] in _PREDICATE or behind[0].endswith("'s"):
        return "mentioned"
    if behind[0] in _ASKING:
        if len(behind) == 1:
            return "mentioned"
        return "unclear" if behind[1] in _SUBJECTS else "mentioned"
    return "called"
