"""Everything that is looked at, in the order in which it is needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from turbo_stream.doctor.check import Check


@dataclass(frozen=True)
class Wanted:
    """What the machine is to do."""

    microphone: bool = True
    """Hear through a microphone; False for a server or files."""

    listen_s: float | None = None
    """Seconds to listen to the microphone; None does not open it."""

    device: int | str | None = None
    """Which microphone; None for the default."""

    model: str | Path | None = None
    """Folder of a Turbo package; None for the one that ships."""

    port: int = 8765
    """Where turbo-serve would listen."""


def examine(wanted: Wanted) -> Iterator[Check]:
    """Yield what is found; nothing raises, nothing is downloaded, nothing is written."""
    yield from _look("libraries", "look_at_python", ())
    libraries = _look("libraries", "look_at_libraries", ())
    yield from libraries
    if any(check.found.startswith("SIG") for check in libraries):
        # What kills a process when it is imported would kill this one, too.
        yield Check("the rest", "missing", "was not looked at", "first see to the library above")
        return
    for examination in _examinations(wanted):
        yield from _look(*examination)


def works(checks: list[Check]) -> bool:
    """Return whether listening would work."""
    return not any(check.state == "missing" for check in checks)


def _examinations(wanted: Wanted) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Yield module, function and arguments of each examination that can be done in here."""
    yield "machine", "look_at_processor", ()
    yield "machine", "look_at_memory", ()
    yield "machine", "look_at_disk", ()
    yield "models", "look_at_package", (wanted.model,)
    yield "models", "look_at_vad", ()
    yield "models", "look_at_recognizers", ()
    if wanted.microphone:
        yield "sound", "look_at_microphones", ()
        if wanted.listen_s is not None:
            yield "sound", "listen_to_microphone", (wanted.device, wanted.listen_s)
    yield "libraries", "look_at_extras", ()
    yield "machine", "look_at_port", (wanted.port,)


def _look(module: str, function: str, arguments: tuple[Any, ...]) -> list[Check]:
    """Return what one examination finds; one that fails is itself a finding.

    It is imported only now: a library that is missing hides nothing but what needs it.
    """
    try:
        look = getattr(import_module(f"turbo_stream.doctor._{module}"), function)
        found: list[Check] = look(*arguments)
    except Exception as error:
        said = " ".join(str(error).split()) or "no message"
        what = function.split("_")[-1]
        return [Check(what, "missing", f"{type(error).__name__}: {said}")]
    return found
