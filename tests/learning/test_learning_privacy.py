"""Promise 7 where a device learns: of rejected speech nothing is kept but what was corrected."""

import base64
import json
import logging
from pathlib import Path

import numpy as np
import pytest

from tests.support.fakes import ScriptedRecognizer
from tests.support.streams import feed
from turbo_stream import Models, Settings, Utterance
from turbo_stream.segmentation.segment import Segment

CANARY = "xylophone marmalade quartz"


@pytest.fixture
def heard(package: Path, tmp_path: Path, excerpt, caplog):
    """Three rejected utterances, the sound of each, and a stream that can still correct them."""
    caplog.set_level(logging.DEBUG)
    models = Models.load(
        Settings(
            package,
            asr=ScriptedRecognizer(text=CANARY),
            vad="webrtc",
            threshold=1.0,
            learn=tmp_path / "learned.json",
        )
    )
    stream = models.stream()
    sounds: list[np.ndarray] = []

    def keep(segment: Segment, utterance: Utterance) -> None:
        sounds.append(segment.pcm.copy())

    stream.on_decision = keep
    said = [one for one in feed(stream, excerpt, [1600]) if isinstance(one, Utterance)]
    assert len(said) == 3 and all(one.decision == "rejected" for one in said)
    return stream, said, sounds


def test_the_file_holds_vectors_of_the_corrected_utterance_alone(heard, tmp_path) -> None:
    stream, said, _ = heard
    assert list(tmp_path.glob("*.json")) == []
    stream.correct(said[1].correction_id, directed=True)
    body = json.loads((tmp_path / "learned.json").read_bytes())
    (kept,) = body["examples"]
    assert kept["id"] == said[1].correction_id
    numbers = [len(base64.b64decode(kept[name])) // 4 for name in ("audio", "text", "confidence")]
    assert numbers == [4, 4, 4]
    assert all(one.correction_id not in json.dumps(body) for one in (said[0], said[2]))


def test_neither_sound_nor_words_are_in_the_file_the_events_or_the_log(
    heard, tmp_path, caplog
) -> None:
    stream, said, sounds = heard
    for one in said:
        stream.correct(one.correction_id, directed=True)
    content = (tmp_path / "learned.json").read_bytes()
    told = content.decode() + caplog.text + json.dumps([one.to_json() for one in said])
    assert not any(word in told.lower() for word in CANARY.split())
    for pcm in sounds:
        # A tenth of a second of it, as numbers of any width, plain or in base64.
        loud = int(np.argmax(np.abs(pcm.astype(int))))
        part = pcm[max(0, loud - 800) : loud + 800]
        assert part.any()
        for kind in ("<i2", "<f4", "<f8"):
            raw = part.astype(kind).tobytes()
            assert raw[:200] not in content
            for shift in range(3):
                assert base64.b64encode(raw[shift : shift + 150])[4:-4] not in content
    assert {path.name for path in tmp_path.iterdir()} == {"learned.json"}


def test_nothing_of_a_stream_that_is_reset_can_be_read_from_its_ids(heard) -> None:
    _, said, _ = heard
    ids = [one.correction_id for one in said]
    assert len(set(ids)) == 3 and all(len(one) == 16 and int(one, 16) >= 0 for one in ids)
