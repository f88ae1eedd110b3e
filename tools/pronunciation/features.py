"""How alike phones are by how they are made: what is believed before anything is counted."""

from collections.abc import Mapping

# Height (0 open, 3 close), backness (0 front, 2 back), rounded; a diphthong has where it ends, too.
_VOWELS: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "AA": ((0, 2, 0),),
    "AE": ((0, 0, 0),),
    "AH": ((1, 1, 0),),
    "AO": ((1, 2, 1),),
    "AW": ((0, 1, 0), (2, 2, 1)),
    "AY": ((0, 1, 0), (2, 0, 0)),
    "EH": ((1, 0, 0),),
    "ER": ((1, 1, 1),),
    "EY": ((1, 0, 0), (3, 0, 0)),
    "IH": ((2, 0, 0),),
    "IY": ((3, 0, 0),),
    "OW": ((1, 2, 1), (3, 2, 1)),
    "OY": ((1, 2, 1), (2, 0, 0)),
    "UH": ((2, 2, 1),),
    "UW": ((3, 2, 1),),
}

# Place (0 lips to 7 throat), manner (0 stop, 1 affricate, 2 fricative, 3 nasal, 4 glide), voiced.
_CONSONANTS: Mapping[str, tuple[int, int, int]] = {
    "B": (0, 0, 1),
    "CH": (4, 1, 0),
    "D": (3, 0, 1),
    "DH": (2, 2, 1),
    "F": (1, 2, 0),
    "G": (6, 0, 1),
    "HH": (7, 2, 0),
    "JH": (4, 1, 1),
    "K": (6, 0, 0),
    "L": (3, 4, 1),
    "M": (0, 3, 1),
    "N": (3, 3, 1),
    "NG": (6, 3, 1),
    "P": (0, 0, 0),
    "R": (4, 4, 1),
    "S": (3, 2, 0),
    "SH": (4, 2, 0),
    "T": (3, 0, 0),
    "TH": (2, 2, 0),
    "V": (1, 2, 1),
    "W": (0, 4, 1),
    "Y": (5, 4, 1),
    "Z": (3, 2, 1),
    "ZH": (4, 2, 1),
}

PHONES = tuple(sorted({*_VOWELS, *_CONSONANTS}))

_GLIDES = {("Y", "IY"), ("Y", "IH"), ("W", "UW"), ("W", "UH"), ("R", "ER"), ("L", "OW")}

_FAR = 1.0


def difference(one: str, other: str) -> float:
    """Return how unlike two phones are, 0 to 1; a vowel and a consonant are wholly so."""
    if one == other:
        return 0.0
    if {(one, other), (other, one)} & _GLIDES:
        return 0.5
    if one in _VOWELS and other in _VOWELS:
        first, second = _VOWELS[one], _VOWELS[other]
        starts = _between(first[0], second[0])
        ends = _between(first[-1], second[-1])
        return min(_FAR, 0.1 + 0.7 * (starts + ends) / 2 + 0.1 * (len(first) != len(second)))
    if one in _CONSONANTS and other in _CONSONANTS:
        (place, manner, voice), (place2, manner2, voice2) = _CONSONANTS[one], _CONSONANTS[other]
        apart = 0.08 * min(5, abs(place - place2)) + 0.2 * (voice != voice2)
        return min(_FAR, 0.1 + apart + 0.35 * (manner != manner2 and {manner, manner2} != {1, 2}))
    return _FAR


def _between(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    height, back, rounded = (abs(a - b) for a, b in zip(one, other, strict=True))
    return height / 3 * 0.5 + back / 2 * 0.35 + rounded * 0.15
