"""A folder of recordings: sound files without words in their names, and their manifest."""

import fcntl
import io
import os
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from turbo_stream._util.files import PARTIAL, write_private
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.recording._manifest import RecordedManifest, recorded_row
from turbo_stream.segmentation.segment import Segment

UNLABELLED = "unlabelled"
"""Where recordings are put; a person sorts them into the folders of `LABELS` beside it."""

_ROOM = 0.9
"""Of the allowed size, what is kept when it is reached: the manifest is not to be rewritten with
every utterance."""


class RecordingFolder:
    """Keeps recordings within limits, oldest out first; sorted ones are the person's and stay.

    One process at a time. Not thread-safe.
    """

    def __init__(self, folder: Path, *, max_bytes: int, max_days: float | None) -> None:
        """Open or make `folder`.

        Raises:
            InputError: the folder cannot be written, another process records into it, or its
                manifest is damaged.
        """
        self._recordings = folder / UNLABELLED
        self._max_bytes = max_bytes
        self._max_days = max_days
        self._lock = -1
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._recordings.mkdir(exist_ok=True, mode=0o700)
            self._lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"`folder` {folder}: another program records into it; give another folder"
                ) from error
            for left in self._recordings.glob(f".*{PARTIAL}"):
                left.unlink()
            self._manifest = RecordedManifest(folder)
            self._bytes = sum(size for _, _, size in self._sounds())
            self.forget()
        except OSError as error:
            self.close()
            reason = error.strerror or error
            raise InputError(
                f"`folder` {folder} cannot be written ({reason}); give another folder"
            ) from error
        except InputError:
            self.close()
            raise

    def add(
        self, segment: Segment, utterance: Utterance, names: tuple[str, ...], language: str
    ) -> None:
        """Keep the sound of `segment`; OSError if it cannot be written, and then nothing is."""
        at = datetime.now(UTC)
        # No `_`: what stands before it would be taken for the speaker (evaluation/labelling).
        stamp = f"{at:%Y%m%dT%H%M%S.%f}Z"
        path = self._recordings / f"{stamp}-{secrets.token_hex(3)}.flac"
        sound = _flac(segment)
        write_private(path, sound)
        name = f"{UNLABELLED}/{path.name}"
        row = recorded_row(name, segment, utterance, at=at, names=names, language=language)
        try:
            self._manifest.append(row)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._bytes += len(sound)
        if self._bytes > self._max_bytes:
            self.forget()

    def forget(self) -> None:
        """Delete what the limits do not allow any more, oldest first; OSError if that fails."""
        sounds = sorted(self._sounds())
        total = sum(size for _, _, size in sounds)
        allowed = self._max_bytes if total <= self._max_bytes else _ROOM * self._max_bytes
        oldest_s = (
            -float("inf") if self._max_days is None else time.time() - 86_400 * self._max_days
        )
        deleted = False
        for modified_s, path, size in sounds:
            if total <= allowed and modified_s >= oldest_s:
                break
            path.unlink(missing_ok=True)
            total -= size
            deleted = True
        self._bytes = total
        if deleted:
            self._manifest.follow()

    def close(self) -> None:
        """Let other processes record here; idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _sounds(self) -> list[tuple[float, Path, int]]:
        """Return when each unsorted recording was made, its path, and its bytes."""
        found = []
        for path in self._recordings.glob("*.flac"):
            with suppress(FileNotFoundError):  # a person is sorting meanwhile
                seen = path.stat()
                found.append((seen.st_mtime, path, seen.st_size))
        return found


def _flac(segment: Segment) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, segment.pcm, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()
