"""A smart speaker's ear: what was meant for the device goes to your handler, the rest nowhere.

python examples/smart_speaker.py               # the recording that ships
python examples/smart_speaker.py evening.wav   # another
python examples/smart_speaker.py mic           # the default microphone, until Ctrl-C
"""

import sys
from contextlib import suppress
from pathlib import Path

from turbo_stream import Event, Listener, Pipeline, Utterance, open_source


def handle(text: str) -> None:
    """Do what was asked for; here your program begins."""
    print(f"to do: {text}")


def on_event(event: Event) -> None:
    """Hear everything, and act on accepted speech alone."""
    if isinstance(event, Utterance) and event.decision == "accepted":
        handle(event.text or "(no words)")


def main() -> None:
    """Listen until the sound or the user ends it."""
    pipeline = Pipeline.load(say=print)
    where = sys.argv[1] if sys.argv[1:] else str(Path(__file__).with_name("kitchen.flac"))
    source = open_source() if where == "mic" else open_source(where)
    with suppress(KeyboardInterrupt), Listener(pipeline, source, on_event) as listener:
        listener.wait()


if __name__ == "__main__":
    main()
