"""Records what is decided, off the thread that decides."""

import threading
from collections.abc import Callable

from turbo_stream._util.closing import Closing
from turbo_stream._util.language import ENGLISH
from turbo_stream._util.outbox import Outbox
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.recording._folder import RecordingFolder
from turbo_stream.recording.config import RecordingConfig
from turbo_stream.segmentation.segment import Segment

_LOOK_AGAIN_S = 3600.0
"""Between two looks at what has become too old."""

_LONGEST_END_S = 10.0
"""How long writing the last recordings may take."""

_MAX_WAITING = 16
"""Utterances that may wait to be written; half a megabyte each at most."""


class Recorder(Closing):
    """Keeps utterances in a folder; for as many streams as tell it (`Pipeline.on_decision`).

    What is not to be kept is overwritten before this returns to the thread that decided.
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
            InputError: there is no folder, or it cannot be used.
        """
        self.language = ENGLISH
        """Of the package that decides; to be set before anything is noted where it is another."""
        self._config = config
        self._say = say
        self._names = names
        self._failing = False
        if config.folder is None:
            raise InputError("nothing is recorded without `folder`; give one")
        self._folder = RecordingFolder(
            config.folder, max_bytes=config.max_bytes, max_days=config.days
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
        else:
            segment.overwrite()

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
                self._folder.add(segment, utterance, self._names, self.language)
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
                self._say(f"`folder`: old recordings could not be deleted ({_reason(error)})")

    def _failed(self, utterance: Utterance, why: str) -> None:
        # A full disk stays full for hours: once is enough.
        if not self._failing:
            self._say(
                f"`folder`: utterance {utterance.id} was not recorded ({why}); trying on in silence"
            )
        self._failing = True


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
