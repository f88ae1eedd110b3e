"""The settings beside Whisper's weights: looked through before libraries in C++ take them as given.

What CTranslate2 and faster-whisper expect there and do not find fails at the first sound only, or
ends the process.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from turbo_stream._util.files import read_file
from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError

_MOST_BYTES = 16 * 2**20
"""Of one file of settings; the largest, a vocabulary, has one MiB."""

_MOST_TOKENS = 1_000_000
_MOST_SHOWN = 300

_SOUND: Mapping[str, tuple[int, int]] = {
    "feature_size": (1, 1024),
    "sampling_rate": (SAMPLE_RATE, SAMPLE_RATE),
    "hop_length": (160, 160),
    "chunk_length": (1, 30),
    "n_fft": (400, 400),
}
"""From where to where the numbers of `preprocessor_config.json` go: Whisper has no other steps."""

_TOKENS = ("suppress_ids", "suppress_ids_begin", "lang_ids")
"""Keys of `config.json` that hold numbers of tokens."""


def check_settings(folder: Path) -> None:
    """Raise `InputError` if a file of settings in `folder` is damaged; those not there are not."""
    words = _settings(folder / "vocabulary.json", list)
    config = _settings(folder / "config.json", dict)
    sound = _settings(folder / "preprocessor_config.json", dict)
    if words is not None and not all(isinstance(word, str) for word in words):
        raise _damaged(folder / "vocabulary.json", "not each of its words is a text")
    tokens = _MOST_TOKENS if words is None else len(words)
    for key in _TOKENS:
        if not _are_whole((config or {}).get(key) or (), tokens):
            problem = f"{key!r} must be a list of whole numbers from 0 to {tokens - 1}"
            raise _damaged(folder / "config.json", problem)
    for key, (low, high) in _SOUND.items():
        value = (sound or {}).get(key, low)
        if not _is_whole(value) or not low <= value <= high:
            wanted = f"be {low}" if low == high else f"be a whole number from {low} to {high}"
            problem = f"{key!r} is {value!r:.40}, must {wanted}"
            raise _damaged(folder / "preprocessor_config.json", problem)


def _settings(path: Path, kind: type[dict[Any, Any]] | type[list[Any]]) -> Any:
    """Return the JSON in `path`, a `kind`, or None where there is no such file."""
    if not path.is_file():
        return None
    try:
        content = json.loads(read_file(path, _MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, kind):
        raise _damaged(path, f"it is no JSON {'object' if kind is dict else 'list'}")
    return content


def _are_whole(values: object, count: int) -> bool:
    return isinstance(values, Sequence) and all(_is_whole(v) and 0 <= v < count for v in values)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _damaged(path: Path, problem: str) -> InputError:
    told = shown(problem[:_MOST_SHOWN])
    return InputError(f"{shown(path)} is damaged ({told}); copy the model folder again")
