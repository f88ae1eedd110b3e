"""A second reading, by a recognizer that is told the device's name.

Rare names are written in ever other ways, and a recognizer that expects one writes it. It also
loses common ones, so that both readings are needed; the second only where no name was read for
sure, and something sounds like it.
"""

from collections.abc import Callable
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from turbo_stream.addressing.address import Addressing
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import Expectant, Recognizer, Transcript


def can_expect(recognizer: Recognizer) -> TypeGuard[Expectant]:
    """Return whether `recognizer` can be told what name to expect."""
    return isinstance(recognizer, Expectant) and recognizer.expects


def read_again(
    recognizer: Recognizer,
    addressing: Addressing,
    pcm: NDArray[np.int16],
    first: Transcript,
    go_on: Callable[[], bool] = lambda: True,
    *,
    start_sample: int = 0,
) -> Transcript | None:
    """Return `first`, or what is read of `pcm` expecting the name where that calls the device.

    `pcm` begins at `start_sample` of its stream. None where `go_on` said no before it was done.
    Raises what the recognizer raises.
    """
    names = addressing.names
    if names is None or not can_expect(recognizer):
        return first
    if not addressing.doubts(first, start_sample):
        return first
    again = recognizer.transcribe_expecting(pcm, names.spoken, go_on)
    if again is None:
        return None
    again = checked(again)
    return again if again.known and addressing.calls(again) else first
