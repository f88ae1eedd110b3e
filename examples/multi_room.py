"""Several rooms, one set of models: each source is a stream of its own.

    python examples/multi_room.py      # the recordings that ship
    python examples/multi_room.py kitchen=kitchen.wav bedroom=bedroom.wav
    python examples/multi_room.py kitchen=mic:0 bedroom=mic:1

Memory and start-up are paid for once; a stream adds a few megabytes and its threads.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from turbo_stream import Event, Listener, Models, Source, Utterance, open_source

SHIPPED = [f"{name}={Path(__file__).with_name(f'{name}.flac')}" for name in ("kitchen", "friday")]
"""What is heard unless rooms are given."""


def source(where: str) -> Source:
    """Return a microphone (`mic:NUMBER`) or a sound file."""
    kind, _, device = where.partition(":")
    return open_source(device=int(device)) if kind == "mic" else open_source(where)


def handler(room: str) -> Callable[[Event], None]:
    """Return what is told the events of `room`, on that room's thread."""

    def on_event(event: Event) -> None:
        if isinstance(event, Utterance) and event.decision == "accepted":
            print(f"{room}: {event.text}", flush=True)

    return on_event


def main() -> None:
    """Listen in all rooms until each has ended."""
    rooms = dict(argument.split("=", 1) for argument in sys.argv[1:] or SHIPPED)
    models = Models.load()
    with ExitStack() as until_the_end:
        listeners = [
            until_the_end.enter_context(Listener(models.stream(), source(where), handler(room)))
            for room, where in rooms.items()
        ]
        for listener in listeners:
            listener.wait()


if __name__ == "__main__":
    main()
