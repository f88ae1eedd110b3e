"""A folder that one run at a time writes into."""

import errno
import os
import socket
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from turbo_stream._util.closing import Closing
from turbo_stream.errors import InputError

LOCK_NAME = ".in-use"
"""Of the file that is locked; it says who holds it."""

_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_WORDS_BYTES = 200

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # A byte behind the words, which others may still read then.
        os.lseek(descriptor, _WORDS_BYTES, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InUseError(InputError):
    """Another run holds a folder."""


class FolderLock(Closing):
    """Keeps other runs out of a folder until it is closed or its process ends, however it ends.

    The lock is the system's, on the file `.in-use`: one that a killed run left behind holds
    nobody up. Where the file system knows no locks, nothing is kept out.
    """

    def __init__(self, folder: Path, name: str = "`out`", *, lock_name: str = LOCK_NAME) -> None:
        """Make `folder`, which messages call `name`, and lock it by its file `lock_name`.

        Raises:
            InUseError: another run holds it.
            InputError: it cannot be written.
        """
        self._path = folder / lock_name
        self._descriptor = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while not self._locked():
                pass
            os.truncate(self._descriptor, 0)
            os.write(self._descriptor, _words().encode()[:_WORDS_BYTES])
        except BlockingIOError:
            raise InUseError(
                f"{name} {folder} is in use by {self._holder()}; wait until that run has ended, or "
                "give another folder"
            ) from None
        except OSError as error:
            reason = error.strerror or error
            self.close()
            raise InputError(
                f"{name} {folder} cannot be written ({reason}); give another folder"
            ) from error

    def close(self) -> None:
        """Let others in; idempotent."""
        if self._descriptor < 0:
            return
        # While it is still locked: whoever has opened it meanwhile sees that it is gone. Windows
        # deletes no open file; a file that is left there does no harm.
        with suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1

    def _locked(self) -> bool:
        """Lock the file and return whether it is still there; BlockingIOError if it is held."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_lock(descriptor)
        except OSError as error:
            if error.errno in _HELD:
                os.close(descriptor)
                raise BlockingIOError(*error.args) from error
        self._descriptor = descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                return True
        # Deleted between our opening and our locking it, by the run that held it until now.
        os.close(descriptor)
        self._descriptor = -1
        return False

    def _holder(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            if words := " ".join(self._path.read_text("utf-8")[:_WORDS_BYTES].split()):
                return words
        return "another run"


def _words() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M}"
