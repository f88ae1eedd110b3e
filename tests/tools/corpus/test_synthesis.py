from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="needs the train extra")

from tests.support.needs import needs
from tools.corpus import synthesis
from tools.corpus.plan import PlannedClip
from tools.corpus.synthesis import clean_speech, speak
from tools.corpus.text_collections import TextItem
from tools.corpus.voices import TO_DEVICE, VOICE_OF, Style

pytestmark = needs("flite")


def clip(number: int, text: str = "turn on the light", **settings) -> PlannedClip:
    item = TextItem(text, "directed", "test", "", "train")
    return PlannedClip(number, item, VOICE_OF["flite-slt"], 1.0, 1.0, -26.0, **settings)


def test_pauses_slowness_and_tone_are_heard() -> None:
    style = Style(TO_DEVICE, 1.0, 0.0, 0.0)
    clips = [
        clip(0),
        clip(1, spoken="turn on, the light"),
        clip(2, tone=2.0),
        clip(3, style=Style(TO_DEVICE, 1.0, 6.0, 0.0)),
        clip(4, style=style),
    ]
    speech = clean_speech(clips)
    assert len(speech[1]) > len(speech[0]) + 1600
    assert not (speech[0][:4000] == speech[2][:4000]).all()
    # A raised voice is brighter: more of its power lies where differences are large.
    rough = {
        at: ((speech[at][1:] - speech[at][:-1]) ** 2).sum() / (speech[at] ** 2).sum()
        for at in (3, 4)
    }
    assert rough[3] > 1.2 * rough[4]


def test_what_a_dying_engine_left_unsaid_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[int]] = []

    def dies_after_one(clips: list[PlannedClip], folder: Path, kokoro: Path | None) -> None:
        asked.append([each.number for each in clips])
        speak(clips[:1], folder, kokoro)

    monkeypatch.setattr(synthesis, "speak", dies_after_one)
    assert set(clean_speech([clip(0), clip(1, "louder"), clip(2, "stop")])) == {0, 1, 2}
    assert asked == [[0, 1, 2], [1], [2]]
