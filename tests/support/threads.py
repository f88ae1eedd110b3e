"""Which threads of ours are running."""

import threading
from collections.abc import Collection


def turbo_threads(besides: Collection[threading.Thread] = ()) -> list[str]:
    """Return the names of those, but for the ones that ran before."""
    running = (thread for thread in threading.enumerate() if thread not in besides)
    return [thread.name for thread in running if thread.name.startswith("turbo")]
