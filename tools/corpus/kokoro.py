"""The engine Kokoro-82M: phonemes by hibari, an INT8 graph by ONNX Runtime, speech at 24 kHz.

A voice is a table of styles by the number of phonemes.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.corpus.kokoro_voices import KOKORO_VOICES
from tools.corpus.voices import Voice
from turbo_stream.errors import InputError

KOKORO_RATE = 24_000

_STYLE_SIZE = 256
_SPEED_RANGE = (0.6, 1.6)

Table = NDArray[np.float32]


@lru_cache(1)
def load_kokoro(folder: Path) -> "Kokoro":
    """Return the engine of `folder`, one in each process.

    Raises `InputError` when something of it is missing.
    """
    return Kokoro(folder)


class Kokoro:
    """One session on one thread, and the style tables of all voices."""

    def __init__(self, folder: Path) -> None:
        """Load the graph, the phonemes' numbers and the voices of `folder`."""
        self._session = _session(_there(folder / "kokoro.onnx"))
        self._ids: dict[str, int] = _vocabulary(_there(folder / "vocab.json"))
        named = {voice.engine_voice for voice in KOKORO_VOICES}
        self._tables = {name: _table(folder / "voices" / f"{name}.bin") for name in sorted(named)}
        self._american, self._british = _phonemizers()

    def say(self, text: str, voice: Voice, speed: float) -> NDArray[np.float32]:
        """Return `text` as `voice` says it at `speed`, `[N]` at 24 kHz; empty if it cannot."""
        # Names begin with the language: b for British.
        phonemes = (self._british if voice.engine_voice[0] == "b" else self._american)(text)
        tokens = [self._ids[phoneme] for phoneme in phonemes if phoneme in self._ids]
        table = self._table(voice)
        if not 0 < len(tokens) < len(table):
            return np.zeros(0, np.float32)
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": table[len(tokens)][None],
            "speed": np.array([np.clip(speed, *_SPEED_RANGE)], np.float32),
        }
        return np.asarray(self._session.run(None, feed)[0], np.float32).ravel()

    def _table(self, voice: Voice) -> Table:
        table = self._tables[voice.engine_voice]
        if voice.blend is None:
            return table
        other, weight = voice.blend
        return (1 - weight) * table + np.float32(weight) * self._tables[other]


def _there(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing; fill the folder as docs/guide/corpus.md says")
    return path


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise InputError("Kokoro needs ONNX Runtime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no class of their own
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is no graph that ONNX Runtime reads ({reason})") from error


def _vocabulary(path: Path) -> dict[str, int]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["vocab"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no `vocab` ({error}); take the one of the guide") from error


def _table(path: Path) -> Table:
    values = np.fromfile(_there(path), "<f4")
    if not len(values) or len(values) % _STYLE_SIZE:
        raise InputError(f"{path} is no table of styles of {_STYLE_SIZE} numbers; unpack it again")
    return values.reshape(-1, _STYLE_SIZE).astype(np.float32)


def _phonemizers() -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Return American and British spelling to sound."""
    try:
        from hibari.g2p import G2P
    except ImportError:
        raise InputError("Kokoro needs phonemes: pip install --no-deps hibari-tts==0.2.1") from None
    return G2P(), G2P(british=True)
