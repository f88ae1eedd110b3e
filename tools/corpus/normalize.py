"""One spelling for every text, so that punctuation and digits cannot tell the collections apart."""

import re


def normalize(text: str) -> str | None:
    """Return `text` in lower case letters, apostrophes and single spaces; None if it does not fit.

    Times and numbers up to four digits become words. Anything else that has no plain reading
    (addresses, longer numbers, other alphabets) is refused rather than guessed.
    """
    text = text.lower().replace("\u2019", "'").replace("%", " percent").replace("&", " and ")
    text = re.sub(r"(\d),(\d{3})\b", r"\1\2", text)
    text = re.sub(r"\b(\d{1,2}):00\b", r"\1", text)
    text = re.sub(r"\b(\d{1,2}):(\d\d)\b", r"\1 \2", text)
    text = re.sub(r"(\d)\s*([ap])\.?\s?m\b\.?", r"\1 \2 m", text)
    text = re.sub(r"(\d)([a-z])", r"\1 \2", text)
    text = re.sub(r"\b\d{1,4}\b", lambda found: f" {number_words(int(found.group()))} ", text)
    text = re.sub(r'[.,!?;:"()\-\u2013]', " ", text)
    text = re.sub(r"(?<![a-z])'|'(?![a-z])", " ", text)
    text = " ".join(text.split())
    return text if re.fullmatch(r"[a-z' ]+", text) else None


UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]

TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

_LARGEST = 9999


def number_words(value: int) -> str:
    """Return an English reading of `value`, 0 to 9999, without "and" or hyphens."""
    if not 0 <= value <= _LARGEST:
        raise ValueError(f"{value} is outside 0..{_LARGEST}")
    parts = []
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if value >= size:
            parts += [number_words(value // size), name]
            value %= size
    if value >= 20:
        parts.append(TENS[value // 10 - 2])
        value %= 10
        if value:
            parts.append(UNITS[value])
    elif value or not parts:
        parts.append(UNITS[value])
    return " ".join(parts)
