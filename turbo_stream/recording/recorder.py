"""Records what is decided, off the thread that decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.closing import Closing
from turbo_stream._util.outbox import Outbox
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.recording.folder import RecordingFolder
from turbo_stream.segmentation.segment import Segment

_LOOK_AGAIN_S = 3600.0
"""Between two looks at what has become too old."""

_LONGEST_END_S = 10.0
"""How long writing the last recordings may take."""

_MAX_WAITING = 16
"""Utterances that may wait to be written; half a megabyte each at most."""


@dataclass(frozen=True)
class RecordingConfig:
    """What its owner allows this machine to keep."""

    folder: Path

    rejected: bool = False
    """Keep rejected speech, too: of people who did not speak to the device."""

    megabytes: float = 1000.0
    """Sound that is kept at most; beyond it the oldest goes."""

    days: float | None = None
    """How long sound is kept at most; None for as long as there is room."""

    def __post_init__(self) -> None:
        """Raise `InputError` for a limit that is none."""
        if not self.megabytes > 0:
            raise InputError(f"--record-mb is {self.megabytes:g}; give more than 0")
        if self.days is not None and not self.days > 0:
            raise InputError(f"--record-days is {self.days:g}; give more than 0")

    def __str__(self) -> str:
        """Return what is recorded, for one line."""
        kind = "accepted and rejected" if self.rejected else "accepted"
        age = "" if self.days is None else f" for {self.days:g} days at most"
        return f"recording {kind} speech in {self.folder}, {self.megabytes:g} MB at most{age}"


class Recorder(Closing):
    """Keeps utterances in a folder; for as many streams as tell it (`Pipeline.on_decision`).

    What is not to be kept is let go before this returns to the thread that decided.
    """

    def __init__(
        self,
        config: RecordingConfig,
        *,
        say: Callable[[str], None],
        names: tuple[str, ...] = (),
        patient: bool = False,
    ) -> None:
        """Open the folder.

        Args:
            config: what may be kept, and where.
            say: told what goes wrong, one line each time it begins to; holds no text.
            names: what the device is called.
            patient: the sound can wait (a file), so no recording needs to be dropped.

        Raises:
            InputError: the folder cannot be used.
        """
        self._config = config
        self._say = say
        self._names = names
        self._failing = False
        self._folder = RecordingFolder(
            config.folder, max_bytes=int(config.megabytes * 1e6), max_days=config.days
        )
        self._using_folder = threading.Lock()
        self._closed = threading.Event()
        self._outbox = Outbox(
            self._write,
            name="recording",
            max_waiting=_MAX_WAITING,
            dropped=lambda waiting: self._failed(waiting[1], "the disk is too slow"),
            patient=patient,
        )
        self._aging = threading.Thread(target=self._age, name="turbo-forget", daemon=True)
        self._aging.start()

    def note(self, segment: Segment, utterance: Utterance) -> None:
        """Keep `segment` if what was decided allows it; from any thread."""
        wanted = ("accepted", "rejected") if self._config.rejected else ("accepted",)
        if utterance.decision in wanted:
            self._outbox.put((segment, utterance))

    def close(self) -> None:
        """Write what waits, and end; idempotent."""
        self._outbox.close(_LONGEST_END_S)
        self._closed.set()
        self._aging.join(_LONGEST_END_S)
        self._folder.close()

    def _write(self, waiting: tuple[Segment, Utterance], stop: threading.Event) -> None:
        segment, utterance = waiting
        try:
            with self._using_folder:
                self._folder.add(segment, utterance, self._names)
        except Exception as error:
            # Whatever a disk or an encoder can do to one recording, the next may succeed.
            self._failed(utterance, _reason(error))
        else:
            self._failing = False

    def _age(self) -> None:
        while not self._closed.wait(_LOOK_AGAIN_S):
            try:
                with self._using_folder:
                    self._folder.forget()
            except Exception as error:
                self._say(f"--record: old recordings could not be deleted ({_reason(error)})")

    def _failed(self, utterance: Utterance, why: str) -> None:
        # A full disk stays full for hours: once is enough.
        if not self._failing:
            self._say(
                f"--record: utterance {utterance.id} was not recorded ({why}); trying on in silence"
            )
        self._failing = True


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
