"""PocketSphinx in a process of its own: it would hold the interpreter's lock while it searches."""

import importlib.util
import json
import logging
import os
import select
import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from turbo_stream._util.clocks import add_elsewhere
from turbo_stream._util.origin import Origin
from turbo_stream.errors import TurboStreamError
from turbo_stream.recognition import _pocketsphinx_worker as pocketsphinx_worker

_LOG = logging.getLogger(__name__)

Word = tuple[str, list[str], float]
"""As of `_pocketsphinx_worker.add_words`."""

_ASK_AGAIN_MS = 20
_END_S = 2.0
"""More than the process needs to end; then it is killed."""

_ENVIRONMENT = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "POCKETSPHINX_PATH",
)
"""All that an interpreter and PocketSphinx may need; tokens and passwords stay here."""


class DecoderProcess:
    """A process that decodes, from its start to its end; another one if it dies.

    Sound goes there and words come back through anonymous pipes. It ends with this object, with
    this interpreter, and, its input being closed then, however this process ends. One call at a
    time: see `PocketSphinxRecognizer`.
    """

    def __init__(self, options: dict[str, Any], words: Sequence[Word] = ()) -> None:
        """Start the process; the models, of these options of PocketSphinx, load meanwhile.

        `words` are known beside those of the dictionary.

        Raises:
            OSError: this interpreter cannot start another one.
        """
        self._options = options
        self._words = list(words)
        self._origin = Origin("pocketsphinx")
        self._ready = False
        self._process: subprocess.Popen[bytes]
        self._end: weakref.finalize[..., DecoderProcess]
        self._start()

    @property
    def pid(self) -> int:
        """Which process decodes now."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until the models are loaded.

        Raises:
            TurboStreamError: they could not be loaded.
        """
        if not self._end.alive:
            self._start()
        if not self._ready:
            self._ready = self._line(lambda: True).get("ready", False)
        if not self._ready:
            raise TurboStreamError("PocketSphinx could not be loaded in a process of its own")

    def decode(
        self, pcm: bytearray, go_on: Callable[[], bool], words: Sequence[Word] = ()
    ) -> tuple[list[str], list[float]] | None:
        """Return the words of s16 PCM and the log-posterior of each; None if `go_on` says no.

        `words` are known for this once, beside those of the dictionary.

        Raises:
            TurboStreamError: the process died, or PocketSphinx failed. The next call works.
            ForkError: this is not the process that made it; both would read one pipe.
        """
        self._origin.check()
        if self._end.alive and self._process.poll() is not None:
            # It died in between, and took nobody's words with it.
            self._restart()
        try:
            self.wait_ready()
            self._send(json.dumps(words).encode() if words else b"", pcm)
            answer = self._line(go_on)
        except (OSError, TurboStreamError):
            self._restart()
            raise TurboStreamError("the process in which PocketSphinx decodes has died") from None
        except BaseException:
            # Interrupted while an answer is due: the next request must not get it.
            self._end()
            raise
        if answer.get("error") == "stopped":
            return None
        if "error" in answer:
            raise TurboStreamError(f"PocketSphinx failed: {answer['error']}")
        return answer["words"], answer["logprobs"]

    def close(self) -> None:
        """End the process; `decode` would start another."""
        self._end()

    def _start(self) -> None:
        self._ready = False
        self._process = subprocess.Popen(
            command(self._options, self._words),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            # Out of reach of what the terminal sends before the program can ignore it.
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, self._process)

    def _restart(self) -> None:
        self._end()
        status = self._process.returncode
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        _LOG.warning("PocketSphinx: its process ended %s, another one is started", how)
        self._start()

    def _send(self, words: bytes, pcm: bytes | bytearray) -> None:
        assert self._process.stdin is not None
        for part in (words, pcm):
            for piece in (len(part).to_bytes(4, "little"), part):
                rest = memoryview(piece)
                while rest:
                    rest = rest[self._process.stdin.write(rest) :]

    def _line(self, go_on: Callable[[], bool]) -> dict[str, Any]:
        """Return the next line of JSON; ask for an end of the work when `go_on` says no."""
        assert self._process.stdout is not None
        wanted = True
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        line = b""
        while not line.endswith(b"\n"):
            if wanted and not poll.poll(_ASK_AGAIN_MS):
                if not go_on():
                    wanted = False
                    self._send(b"", b"")
                continue
            data = os.read(self._process.stdout.fileno(), 65_536)
            if not data:
                raise TurboStreamError("the answer is missing")
            line += data
        answer: dict[str, Any] = json.loads(line)
        add_elsewhere(answer["cpu_s"])
        return answer


def command(options: dict[str, Any], words: Sequence[Word] = ()) -> list[str]:
    """Return the command line of a process with these options of PocketSphinx and further words.

    Raises:
        OSError: this interpreter cannot start another one.
    """
    program = Path(pocketsphinx_worker.__file__)
    if getattr(sys, "frozen", False) or not sys.executable or not program.is_file():
        raise OSError("this interpreter is part of a program and cannot start another one")
    if not hasattr(os, "fork"):
        raise OSError("this system cannot fork processes")
    library = importlib.util.find_spec("pocketsphinx")
    if library is None or library.origin is None:
        raise ModuleNotFoundError("No module named 'pocketsphinx'", name="pocketsphinx")
    settings = {"path": str(Path(library.origin).parents[1]), "options": options, "words": words}
    # No module of the current folder, PYTHONPATH (-I) or site-packages (-S) is run or taken for
    # another; and nothing is written (-B), not even byte code.
    return [sys.executable, "-I", "-S", "-B", str(program), json.dumps(settings)]


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(OSError):
            pipe.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
