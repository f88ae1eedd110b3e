"""How a device is addressed is changed while its stream goes on."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector
from tests.support.served import shared_models
from tests.support.streams import feed, untimed
from turbo_stream import InputError, Pipeline, Utterance
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.address import _MOST_CHANGES, Addressing
from turbo_stream.addressing.calls import Said
from turbo_stream.recognition.recognizer import Transcript

calm = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
chunk_sizes = st.lists(st.integers(1, 50_000), min_size=1, max_size=20)


def called(mode: str) -> Addressing:
    return Addressing.of(mode, ["Friday"], conversation_s=0, reads_again=True)


def accepting(names: tuple[str, ...] = ("Friday",)) -> Pipeline:
    """A stream in which all is accepted that need not call the device."""
    models = shared_models(detector=LoudnessDetector(always=0.9), names=names, conversation_s=0)
    return models.stream()


def decisions(events) -> list[str]:
    return [event.decision for event in events if isinstance(event, Utterance)]


def test_speech_is_addressed_as_it_was_when_it_began() -> None:
    device = called("named")
    device.change("open", 1000)
    device.change("named-or-sure", 3000)
    assert device.mode == "named-or-sure"
    modes = [device.mode_at(start) for start in (0, 999, 1000, 2999, 3000)]
    assert modes == ["named", "named", "open", "open", "named-or-sure"]
    absent = Said("absent")
    assert device.weights(absent, 999).name < -36 < device.weights(absent, 3000).name < 0
    assert device.weights(absent, 1000).name == 0
    misheard = Transcript("Frida, stop.")
    assert device.doubts(misheard, 999) and not device.doubts(misheard, 1000)


def test_a_mode_that_is_set_again_and_again_is_remembered_within_bounds() -> None:
    device = called("named")
    for sample in range(1000):
        device.change("open" if sample % 2 else "named", sample)
    assert len(device._before) == _MOST_CHANGES and device.mode_at(999) == "open"
    device.change("open", 5000)
    assert device._before[-1][0] == 999, "what is so already is no change"
    device.reset()
    assert device.mode_at(0) == "open", "a new stream begins with the mode that is set"


@pytest.mark.slow
@calm
@given(cut=st.integers(0, 12 * SAMPLE_RATE), sizes=chunk_sizes, others=chunk_sizes)
def test_chunking_never_changes_what_a_change_of_the_mode_does(
    excerpt: np.ndarray, cut: int, sizes: list[int], others: list[int]
) -> None:
    found = []
    for pieces in (sizes, others):
        stream = accepting()
        before = [stream.process(piece) for piece in np.split(excerpt[:cut], range(0, cut, 9999))]
        stream.address = "open"
        events = [event for some in before for event in some] + feed(stream, excerpt[cut:], pieces)
        found.append(untimed(events))
        spoken = [event for event in events if isinstance(event, Utterance)]
        assert [u.decision for u in spoken] == [
            "accepted" if round(u.start_s * SAMPLE_RATE) >= cut else "rejected" for u in spoken
        ]
    assert found[0] == found[1] and len(decisions(found[0])) == 3


def test_one_utterance_has_one_mode_from_its_start_to_its_decision(excerpt: np.ndarray) -> None:
    stream = accepting()
    middle = 2 * SAMPLE_RATE  # of the first utterance
    events = stream.process(excerpt[:middle])
    assert [event.kind for event in events] == ["speech_started"]
    stream.address = "open"
    assert stream.address == stream.ready.address == "open"
    events += stream.process(excerpt[middle:]) + stream.flush()
    assert decisions(events) == ["rejected", "accepted", "accepted"]
    stream.reset()
    assert decisions(stream.process(excerpt) + stream.flush()) == ["accepted"] * 3


@pytest.mark.parametrize(
    ("names", "mode", "message"),
    [
        (("Friday",), "always", "'always'; choose one of named, named-or-sure, open"),
        ((), "named", "has no name"),
    ],
)
def test_a_mode_that_cannot_be_is_refused_and_changes_nothing(names, mode, message) -> None:
    stream = accepting(names)
    before = stream.address
    with pytest.raises(InputError, match=message):
        stream.address = mode
    assert stream.address == stream.ready.address == before
