"""One labelled sound file of a folder, and what can be said of it without a model."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import AUDIO_SUFFIXES

LABELS = ("directed", "not_directed")
"""Names of the two folders, and of the classes."""

SHORTEST_S = 0.2
"""Less than this is no word."""

_SILENCE = 33
"""Peak of int16 samples that is -60 dBFS: nobody speaks below it."""


@dataclass(frozen=True)
class Recording:
    """A sound file that can be learned from."""

    path: Path

    name: str
    """Its path below the folder."""

    label: str
    speaker: str | None
    text: str | None
    duration_s: float

    digest: str
    """Of the samples, so that a copy in another format of the same samples is found out too."""

    def row(self, device_name: str | None) -> dict[str, Any]:
        """Return its manifest row."""
        row: dict[str, Any] = {
            "audio_filepath": self.path,
            "label": self.label,
            "duration": round(self.duration_s, 4),
            "set": "own",
        }
        extra = {"text": self.text, "speaker": self.speaker, "device_name": device_name}
        return row | {key: value for key, value in extra.items() if value is not None}


@dataclass(frozen=True)
class Skipped:
    """A sound file that is left out."""

    path: Path
    why: str


def sound_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the sound files of `folder` with their labels, in order of their names.

    Raises:
        InputError: `folder` has not the two folders of labels.
    """
    missing = [label for label in LABELS if not (folder / label).is_dir()]
    if missing:
        raise InputError(
            f"{folder} has no folder {' and no folder '.join(missing)}; put recordings of speech "
            "to the device into directed, and of all other speech into not_directed"
        )
    for label in LABELS:
        for path in sorted((folder / label).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.suffix.lower() in AUDIO_SUFFIXES and not hidden:
                yield path, label


def speaker_of(path: Path, label_folder: Path) -> str | None:
    """Return who speaks: the folder below the label's, else the name up to its first `_`."""
    parts = path.relative_to(label_folder).parts
    if len(parts) > 1:
        return parts[0]
    prefix, mark, _ = path.stem.partition("_")
    return prefix if mark and prefix else None


def examine(path: Path, label: str, folder: Path) -> Recording | Skipped:
    """Open a sound file; its words are those of the `.txt` beside it, if there is one."""
    try:
        pcm = read_clip(path)
    except InputError as error:
        return Skipped(path, str(error).removeprefix(f"{path} "))
    duration_s = len(pcm) / SAMPLE_RATE
    if duration_s < SHORTEST_S:
        return Skipped(path, f"lasts {duration_s:.2f} s, less than {SHORTEST_S} s")
    if np.abs(pcm.astype(np.int32)).max() < _SILENCE:
        return Skipped(path, "is silent")
    beside = path.with_suffix(".txt")
    text = None
    if beside.is_file():
        text = " ".join(beside.read_text("utf-8-sig", "replace").split()) or None
    digest = hashlib.sha256(pcm.tobytes()).hexdigest()
    name = path.relative_to(folder).as_posix()
    speaker = speaker_of(path, folder / label)
    return Recording(path, name, label, speaker, text, duration_s, digest)


def without_copies(found: list[Recording]) -> tuple[list[Recording], list[Skipped]]:
    """Return each sound once; one that stands under both labels is left out altogether."""
    by_sound: dict[str, list[Recording]] = {}
    for recording in found:
        by_sound.setdefault(recording.digest, []).append(recording)
    kept, skipped = [], []
    for copies in by_sound.values():
        first = copies[0]
        if len({copy.label for copy in copies}) > 1:
            why = "is the same sound under both labels"
            skipped += [Skipped(copy.path, why) for copy in copies]
            continue
        kept.append(first)
        skipped += [Skipped(copy.path, f"is the same sound as {first.path}") for copy in copies[1:]]
    return kept, skipped
