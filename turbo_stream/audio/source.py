"""What a source of sound is: an iterator of blocks, gaps and state changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError

Pcm = NDArray[np.int16]
"""16 kHz mono samples, `[N]`."""

ConnectionState = Literal["active", "reconnecting", "unavailable", "muted"]


@dataclass(frozen=True)
class Block:
    """Consecutive samples."""

    pcm: Pcm
    """`[N]` int16, 16 kHz mono."""

    reference: Pcm | None = None
    """`[N]` what the device itself was playing meanwhile, if known."""


@dataclass(frozen=True)
class Gap:
    """Samples that were lost between the block before and the block after."""

    lost_samples: int
    """At 16 kHz, so that times after the gap stay right."""

    cause: str
    """For a person: `input overflow`, `device lost`, ..."""


@dataclass(frozen=True)
class Connection:
    """The source went away, came back, gave up, or delivers nothing but zeros."""

    state: ConnectionState

    detail: str = ""
    """For a person: which device, and why."""


SourceItem = Block | Gap | Connection
"""What a source yields."""


def check_source(source: object) -> None:
    """Raise InputError for what is easily given instead of a source: a path, or sound itself."""
    if isinstance(source, str | Path):
        raise InputError(
            f"a source of sound is wanted, and {str(source)!r} is a path: give "
            f"open_source({str(source)!r})"
        )
    if isinstance(source, bytes | bytearray | memoryview | np.ndarray):
        raise InputError(
            f"a source of sound is wanted, and {type(source).__name__} is sound itself: pass it to "
            "`process`, or push it into a `PushSource`"
        )


@runtime_checkable
class Source(Protocol):
    """A stream of sound. Iterating opens it; `close` may be called at any time, from any thread."""

    live: bool
    """True if sound arrives by the clock and is lost when nobody reads; False if it can wait."""

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield items until the sound ends or `close` is called."""
        ...

    def close(self) -> None:
        """End the iteration after what was captured so far; idempotent."""
        ...


@runtime_checkable
class GatheringSource(Source, Protocol):
    """A source that can hand out sound in fewer and longer blocks when nothing depends on it."""

    gathering: bool
    """Set by the reader between two items. While False, sound is handed out as it arrives."""
