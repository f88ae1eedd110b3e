"""Codes of languages, as people and libraries write them."""

ENGLISH = "en"


def primary(code: str) -> str:
    """Return the language of `code`, without country and script: `en` of `en-GB` and `EN_us`."""
    return code.lower().replace("_", "-").partition("-")[0]


def same_language(one: str, other: str) -> bool:
    """Return whether two codes name one language, whatever the country."""
    return primary(one) == primary(other)
