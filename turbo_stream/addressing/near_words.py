"""Words that sound so much like a name that a device of that name hears them."""

from turbo_stream.addressing._dictionary import common_words
from turbo_stream.addressing.pronunciation import pronunciations
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import sound_distance

_PHONES_APART = 2
"""Words so much longer or shorter are not looked at."""


def near_words(name: str, within: float, most: int = 3) -> list[str]:
    """Return words of the shipped dictionary that are near `name` and not it, the nearest first."""
    ways = pronunciations(name)
    if not ways:
        return []
    own = tuple(words_of(name))
    found = []
    for word, phones in common_words():
        # "fridays" is no other word than "friday".
        if (
            word.startswith(own)
            or abs(len(phones) - len(ways[0])) > _PHONES_APART
            or phones in ways
        ):
            continue
        # Most words share no sound with a name, and need no reckoning.
        if len(set(phones) & set(ways[0])) * 2 < len(ways[0]):
            continue
        distance = min(sound_distance(phones, way) for way in ways)
        if distance <= within:
            found.append((distance, word))
    return [word for _, word in sorted(found)[:most]]
