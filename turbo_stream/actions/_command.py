"""Runs the command of `on_accept`, once for every accepted utterance."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Self

from turbo_stream._util.outbox import Outbox
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.recognition.recognizer import NoRecognizer

PLACES = ("text", "probability", "id", "start_s", "end_s")
"""What may stand in braces."""

_PLACE = re.compile(r"\{([A-Za-z_]+)\}")

_MISREAD = ("-", "@")
"""What makes programs take an argument for an option, or for the name of a file to read."""


@dataclass(frozen=True)
class CommandTemplate:
    """The arguments of a command, split once, before anything was said.

    What is filled in stays inside its argument, whatever it holds: no shell sees it. An argument
    that begins with a place to fill in, and then would begin with `-` or `@`, gets a space in
    front, so that nobody speaks an option.
    """

    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, given: str) -> Self:
        """Split `given` as a POSIX shell splits words.

        Raises:
            InputError: it is empty or has an open quote, names an unknown place, has a place in
                the program's own name, or the program is not there.
        """
        try:
            arguments = tuple(shlex.split(given))
        except ValueError as error:
            raise InputError(f"`on_accept` {given!r}: {error}; close the quotes") from error
        if not arguments:
            raise InputError("`on_accept` is empty; give a program and its arguments")
        for argument in arguments:
            for name in _PLACE.findall(argument):
                if name not in PLACES:
                    known = ", ".join(f"{{{place}}}" for place in PLACES)
                    raise InputError(f"`on_accept`: {{{name}}} is not known; there are {known}")
        if _PLACE.search(arguments[0]):
            raise InputError(
                f"`on_accept` {arguments[0]!r}: what is said may not choose the program; "
                "name it, and put {text} among its arguments"
            )
        if shutil.which(arguments[0]) is None:
            raise InputError(
                f"`on_accept`: there is no program {arguments[0]!r}; check the name or its path"
            )
        return cls(arguments)

    @property
    def program(self) -> str:
        """The program's name, as given."""
        return self.arguments[0]

    @property
    def needs_text(self) -> bool:
        """Whether what was said is among the arguments."""
        return any("text" in _PLACE.findall(argument) for argument in self.arguments)

    def fill(self, utterance: Utterance) -> list[bytes]:
        """Return the arguments for `utterance`, UTF-8 whatever the locale."""
        values = {
            "text": _spoken(utterance.text),
            "probability": f"{utterance.directed_probability:.3f}",
            "id": str(utterance.id),
            "start_s": f"{utterance.start_s:.3f}",
            "end_s": f"{utterance.end_s:.3f}",
        }
        return [_filled(argument, values).encode() for argument in self.arguments]


def _spoken(text: str | None) -> str:
    """Return `text` as an argument can hold it: no NUL, nothing that is not Unicode."""
    return (text or "").replace("\0", " ").encode("utf-8", "replace").decode()


def _filled(argument: str, values: dict[str, str]) -> str:
    filled = _PLACE.sub(lambda place: values[place[1]], argument)
    spoken_front = _PLACE.match(argument) is not None
    return f" {filled}" if spoken_front and filled.startswith(_MISREAD) else filled


_STDERR = 2
_OURS = "TURBO_"
"""Front of the environment variables that turbo_stream reads."""


@dataclass(frozen=True)
class CommandConfig:
    """How many commands may run and wait, and how long one may take."""

    timeout_s: float = 30.0
    """After so long a command is ended, with what it has started."""

    at_once: int = 1
    """Commands that may run at the same time. With 1 each waits for the one before it; with more
    they begin in order and end in any."""

    max_waiting: int = 16
    """Commands that may wait; one more, and the oldest is dropped."""

    too_old_s: float = 60.0
    """A command that could not be started for so long is dropped: nobody waits for that light any
    more. Not for sound that can wait."""

    grace_s: float = 1.0
    """From the request to end (SIGTERM) to the end by force (SIGKILL)."""


class AcceptCommand:
    """Starts one process per utterance, off the thread that listens.

    The event's JSON, one line, is the process's standard input. What it prints goes to standard
    error, since standard output belongs to the events. Only failures are told, never the text.
    """

    def __init__(
        self,
        template: CommandTemplate,
        *,
        say: Callable[[str], None],
        patient: bool = False,
        config: CommandConfig | None = None,
        output: Callable[[str], None] | None = None,
    ) -> None:
        """Take the template; `output` is told each line that commands print, else stderr has it."""
        self._template = template
        self._say = say
        self._output = output
        self._config = config or CommandConfig()
        self._patient = patient
        # Secrets and tokens of this program are none of the command's business.
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        self._outbox = Outbox(
            self._run,
            name="on-accept",
            max_waiting=self._config.max_waiting,
            dropped=self._dropped,
            at_once=self._config.at_once,
            patient=patient,
        )

    def hand_on(self, utterance: Utterance) -> None:
        """Have the command run for `utterance`; returns at once unless patient.

        Not one that needs the text where it should be there and is not: `say ''` helps nobody.
        Who listens without a recognizer has chosen to have none.
        """
        wanted = self._template.needs_text and utterance.asr.get("backend") != NoRecognizer.name
        if wanted and not utterance.text:
            self._failed(utterance, "was not run: no text was made in time")
            return
        self._outbox.put((utterance, monotonic()))

    def close(self, within_s: float) -> None:
        """Wait `within_s` at most for what waits and runs; then end it."""
        self._outbox.close(within_s)

    def hurry(self) -> None:
        """Let `close` wait no longer."""
        self._outbox.hurry()

    def _run(self, waiting: tuple[Utterance, float], stop: threading.Event) -> None:
        utterance, since_s = waiting
        if not self._patient and monotonic() - since_s > self._config.too_old_s:
            self._dropped(waiting)
            return
        try:
            process = subprocess.Popen(
                self._template.fill(utterance),
                stdin=subprocess.PIPE,
                stdout=_STDERR if self._output is None else subprocess.PIPE,
                stderr=None if self._output is None else subprocess.STDOUT,
                env=self._environment,
                # A group of its own: it can be ended as a whole, and Ctrl-C is not for it.
                start_new_session=True,
            )
        except OSError as error:
            self._failed(utterance, f"cannot be started ({error.strerror})")
            return
        reader = None
        if self._output is not None:
            reader = threading.Thread(target=self._read, args=(process, self._output), daemon=True)
            reader.start()
        event = json.dumps(utterance.to_json()).encode() + b"\n"
        with suppress(OSError), process.stdin as stdin:  # type: ignore[union-attr]
            # Less than a pipe holds, so this waits for no reader.
            stdin.write(event)
        self._wait(process, utterance, stop)
        # What it left running in the background may hold its output open for ever.
        if reader is not None:
            reader.join(self._config.grace_s)

    @staticmethod
    def _read(process: subprocess.Popen[bytes], output: Callable[[str], None]) -> None:
        """Pass the lines of a command on as they come."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                output(line.decode("utf-8", "replace").rstrip("\r\n"))

    def _wait(
        self, process: subprocess.Popen[bytes], utterance: Utterance, stop: threading.Event
    ) -> None:
        until_s = monotonic() + self._config.timeout_s
        while True:
            try:
                status = process.wait(0.1)
            except subprocess.TimeoutExpired:
                late = monotonic() > until_s
                if not late and not stop.is_set():
                    continue
                self._end(process)
                why = f"took longer than {self._config.timeout_s:g} s" if late else "was running"
                self._failed(utterance, f"{why} and was ended")
                return
            if status:
                how = f"with status {status}" if status > 0 else f"by signal {-status}"
                self._failed(utterance, f"ended {how}")
            return

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End the process and what it started; what another user's program started may stay."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, how)
            with suppress(subprocess.TimeoutExpired):
                process.wait(self._config.grace_s)

    def _failed(self, utterance: Utterance, what: str) -> None:
        self._say(f"`on_accept`: {self._template.program} for utterance {utterance.id} {what}")

    def _dropped(self, waiting: tuple[Utterance, float]) -> None:
        self._failed(waiting[0], "was not run: those before it took too long")
