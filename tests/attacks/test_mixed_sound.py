"""Mixed sound, with the device playing at times, cut at random: no cut changes an event."""

import numpy as np

from tests.attacks.conftest import Attack
from tests.support.fakes import make_pipeline
from tools.measurements.soak.mixed_sound import piece, with_echo
from turbo_stream import Event, SpeechStarted, Utterance
from turbo_stream.audio.source import Block, Gap, SourceItem


def scene(kitchen_pcm: np.ndarray, chance: np.random.Generator) -> list[SourceItem]:
    """Return pieces of a day, of which some have what the device played, and gaps between."""
    items: list[SourceItem] = []
    for _ in range(chance.integers(1, 5)):
        pcm, played = piece(kitchen_pcm, chance.uniform(1, 12), chance), None
        if chance.random() < 0.5:
            played = piece(kitchen_pcm, (len(pcm) + 0.5) / 16_000, chance)[: len(pcm)]
            # In bursts, of which a long chunk holds many.
            played[np.arange(len(played)) // int(chance.integers(400, 16_000)) % 2 == 0] = 0
            pcm = with_echo(pcm, played)
        items.append(Block(pcm, played))
        if chance.random() < 0.2:
            items.append(Gap(int(chance.integers(40_000)), "attack"))
    return items


def cut(items: list[SourceItem], chance: np.random.Generator) -> list[SourceItem]:
    """Return `items` with their blocks cut at random."""
    most = int(10 ** chance.uniform(2, 5))
    pieces: list[SourceItem] = []
    for item in items:
        if not isinstance(item, Block):
            pieces.append(item)
            continue
        start = 0
        while start < len(item.pcm):
            part = slice(start, start + int(chance.integers(1, most)))
            pieces.append(
                Block(item.pcm[part], None if item.reference is None else item.reference[part])
            )
            start = part.stop
    return pieces


def told(items: list[SourceItem]) -> list[dict]:
    """Return what a stream says of `items`, times of the machine left out."""
    pipeline = make_pipeline()
    events: list[Event] = [event for item in items for event in pipeline.feed(item)]
    events += pipeline.flush()
    found = pipeline.finished()
    started = [event.id for event in events if isinstance(event, SpeechStarted)]
    assert started == [event.id for event in events if isinstance(event, Utterance)]
    assert found.utterances == len(started)
    assert round(found.audio_s * 16_000) == sum(
        len(item.pcm) for item in items if isinstance(item, Block)
    )
    return [{**event.to_json(), "latency_ms": None} for event in events]


def test_no_cut_changes_an_event(attack: Attack, kitchen_pcm: np.ndarray) -> None:
    for chance in attack.inputs(at_least=4):
        items = scene(kitchen_pcm, chance)
        expected = told(items)
        assert told(cut(items, chance)) == expected
        assert told(cut(items, chance)) == expected
