"""What a package says of recordings, heard in stated ways; computed once, kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from tools.judge.candidate import Candidate
from tools.judge.recording import Recording
from tools.judge.sounds import Sound, Stage
from training.data.clip import as_wave
from turbo_stream import InputError, Recognizer, Transcript
from turbo_stream._util.closing import Closing
from turbo_stream._util.files import recovered_lines
from turbo_stream._util.folder_lock import FolderLock
from turbo_stream.detection.package import DIRECTED
from turbo_stream.evaluation.figures.content_free import content_free
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Translating
from turbo_stream.recognition.told import report, reported, told

NO_WORDS = NOT_HEARD
"""Text and confidence missing: the sound decides."""

_STDERR = Console(stderr=True)


class Hearing(NamedTuple):
    """One utterance as a device meets it."""

    recording: Recording
    sound: Sound
    transcript: Transcript
    names: tuple[str, ...]


def as_given(recording: Recording, sound: Sound = "recorded") -> Hearing:
    """Return a recording with its own words, heard by a device without a name.

    The manifest's names are for figures about names: where only one class has them, they tell it.
    """
    return Hearing(recording, sound, recording.transcript, ())


class Bench:
    """Scores, probe features and recognized words, each computed once."""

    def __init__(self, stage: Stage, ledger: Ledger, recognizer: Recognizer | None = None) -> None:
        self._stage = stage
        self._stage_digest = stage.digest()
        self._ledger = ledger
        self._recognizer = recognizer
        self._rendered: tuple[tuple[Recording, Sound], NDArray[np.int16]] | None = None

    @property
    def asr(self) -> str | None:
        """Name of the recognizer; None where no sound is recognized anew."""
        return None if self._recognizer is None else self._recognizer.name

    def scores(
        self, candidate: Candidate, hearings: Sequence[Hearing], label: str
    ) -> NDArray[np.float64]:
        """Return the directed probability of every hearing, `[N]`."""
        return self.scores_of([(candidate, hearing) for hearing in hearings], label)

    def scores_of(
        self, asked: Sequence[tuple[Candidate, Hearing]], label: str
    ) -> NDArray[np.float64]:
        """Return the directed probability of every hearing by its own candidate, `[N]`."""
        keys = [
            digest(
                "score",
                candidate.sha256,
                self._sound_key(hearing.recording, hearing.sound),
                *told(hearing.transcript),
                hearing.names,
                *_of_language(hearing.transcript),
            )
            for candidate, hearing in asked
        ]
        return np.array(self._compute(keys, asked, self._score, label), np.float64)

    def _score(self, asked: tuple[Candidate, Hearing]) -> float:
        candidate, hearing = asked
        pcm = self._sound(hearing.recording, hearing.sound)
        found = candidate.classifier.probabilities(pcm, hearing.transcript, hearing.names)
        return found[DIRECTED]

    def probe_features(
        self, recordings: Sequence[Recording], sound: Sound, label: str
    ) -> NDArray[np.float64]:
        """Return the content-free features of every recording, `[N, F]`."""

        def compute(recording: Recording) -> list[float]:
            return content_free(as_wave(self._sound(recording, sound))).tolist()

        keys = [digest("probe", self._sound_key(recording, sound)) for recording in recordings]
        return np.array(self._compute(keys, recordings, compute, label))

    def recognized(
        self, recordings: Sequence[Recording], sound: Sound, label: str
    ) -> list[Transcript]:
        """Return what the recognizer hears in every sound; without one, what was heard before."""
        if self._recognizer is None:
            return [recording.transcript for recording in recordings]
        recognizer = self._recognizer

        def compute(recording: Recording) -> list:
            heard = checked(recognizer.transcribe(self._sound(recording, sound)))
            return _written(heard)

        translated = isinstance(recognizer, Translating) and recognizer.translates
        key = ("heard", recognizer.name, *(["translated"] if translated else []))
        keys = [digest(*key, self._sound_key(recording, sound)) for recording in recordings]
        return [_read(found) for found in self._compute(keys, recordings, compute, label)]

    def _compute(
        self, keys: Sequence[str], inputs: Sequence[Any], compute: Callable[[Any], Any], label: str
    ) -> list[Any]:
        missing = self._ledger.missing(keys)
        wanted = [(key, one) for key, one in zip(keys, inputs, strict=True) if key in missing]
        for key, one in _shown(dict(wanted).items(), label, len(missing)):
            self._ledger.add(key, compute(one))
        return [self._ledger[key] for key in keys]

    def _sound_key(self, recording: Recording, sound: Sound) -> list:
        if sound == "none":
            return [sound]
        part = [recording.offset_s, recording.duration_s]
        if recording.keep_s is not None:
            part.append(recording.keep_s)
        recipe = "" if sound == "recorded" else self._stage_digest
        return [sound, recipe, recording.name, recording.path.stat().st_size, *part]

    def _sound(self, recording: Recording, sound: Sound) -> NDArray[np.int16]:
        """Render; the last sound is remembered, for it is often asked for several times."""
        key = (recording, sound)
        if self._rendered is None or self._rendered[0] != key:
            self._rendered = (key, self._stage.render(recording, sound))
        return self._rendered[1]


def _of_language(transcript: Transcript) -> list[Any]:
    """Return what else of `transcript` counts where it may be in another language."""
    if transcript.language is None:
        return []
    translation = transcript.translation
    return [transcript.language, *([] if translation is None else told(translation))]


def _written(heard: Transcript) -> list[Any]:
    """Return text and report, JSON-ready, and behind them those of its translation if any."""
    more = [] if heard.translation is None else _written(heard.translation)
    return [heard.text, report(heard), *more]


def _read(written: Sequence[Any]) -> Transcript:
    """Return what `_written` was given, without states."""
    text, row, *more = written
    return replace(reported(text, row), translation=_read(more) if more else None)


class Ledger(Closing):
    """Values by key in a file of JSON lines; what a killed run had is not computed again."""

    def __init__(self, path: Path) -> None:
        """Open or start the file; InputError if that is not possible."""
        self._values: dict[str, Any] = {}
        self._lock = FolderLock(path.parent, "the folder")
        try:
            self._values.update(recovered_lines(path, _is_value))
            self._file = path.open("ab")
        except OSError as error:
            self._lock.close()
            reason = error.strerror or error
            raise InputError(f"{path} cannot be used ({reason}); give another folder") from error

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that have no value yet."""
        return {key for key in keys if key not in self._values}

    def __getitem__(self, key: str) -> Any:
        """Return the value of `key`; KeyError if there is none."""
        return self._values[key]

    def add(self, key: str, value: Any) -> None:
        """Keep a JSON-ready value."""
        self._file.write(json.dumps([key, value]).encode() + b"\n")
        self._file.flush()
        self._values[key] = value

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()
        self._lock.close()


def _is_value(line: Any) -> bool:
    return isinstance(line, list) and len(line) == 2 and isinstance(line[0], str)


def digest(*parts: Any) -> str:
    """Return a short hash of JSON-ready `parts`."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _shown(items: Iterable[Any], label: str, total: int) -> Iterable[Any]:
    return track(items, label, total=total, console=_STDERR, disable=not total)
