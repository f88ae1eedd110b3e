"""The voices that streams know, as their file has them now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.shared_file import stamp
from turbo_stream.errors import InputError
from turbo_stream.voices.encoder import SHA256, VoiceEncoder, speech_s
from turbo_stream.voices.matching import NOBODY, Match, match
from turbo_stream.voices.voice_file import Voice, VoiceFile

_LOG = logging.getLogger(__name__)


def known_voices(path: Path | None, say: Callable[[str], None]) -> KnownVoices | None:
    """Return the voices in `path`, ready to be asked, and say whose; None where there is none.

    Raises:
        InputError: as `KnownVoices`.
        PackageError: the encoder is not the one that shipped.
    """
    if path is None:
        return None
    voices = KnownVoices(path)
    voices.warm_up()
    say(f"{path}: knows {', '.join(voices.names) or 'nobody'}")
    return voices


class KnownVoices:
    """Says whose an utterance was. Any thread may ask; streams share it.

    The file is looked at each time: who is taken out of it is unknown from the next utterance on.
    """

    def __init__(self, path: Path, encoder: VoiceEncoder | None = None) -> None:
        """Read the file.

        Raises:
            InputError: it is not there, damaged, no such file, or of another encoder.
        """
        self.path = path
        self._encoder = encoder or VoiceEncoder()
        self._lock = threading.Lock()
        self._stamp = stamp(path)
        self._voices = self._read()

    @property
    def names(self) -> tuple[str, ...]:
        """Who is known now."""
        return tuple(self._newest())

    def whose(self, pcm: NDArray[np.int16]) -> Match:
        """Return whose `pcm`, `[N]` int16 at 16 kHz, is; whatever fails, it is nobody's."""
        voices = self._newest()
        if not voices:
            return NOBODY
        try:
            return match(self._encoder.vector(pcm), voices, speech_s(pcm))
        except Exception as error:
            _LOG.warning("the voice encoder failed: %s", type(error).__name__)
            return NOBODY

    def warm_up(self) -> None:
        """Load the encoder and run it once.

        Raises:
            PackageError: it is not the one that shipped.
        """
        self._encoder.warm_up()

    def _newest(self) -> Mapping[str, Voice]:
        with self._lock:
            now = stamp(self.path)
            if now != self._stamp:
                self._stamp = now
                try:
                    self._voices = self._read()
                except InputError as error:
                    _LOG.warning("no voice is known any more: %s", error)
                    self._voices = {}
            return self._voices

    def _read(self) -> Mapping[str, Voice]:
        file = VoiceFile.read(self.path)
        file.check(self.path, SHA256)
        return file.voices
