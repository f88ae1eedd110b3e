"""What is measured of a recording decides, at any threshold, as the pipeline itself does."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream import Models, Settings
from turbo_stream.audio.file import FileSource
from turbo_stream.audio.source import Block, Gap
from turbo_stream.events import Utterance
from turbo_stream.tuning.hearing import hear
from turbo_stream.tuning.limited import Limited
from turbo_stream.tuning.threshold import Deciding


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, kitchen_pcm: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("room") / "room.wav"
    soundfile.write(path, kitchen_pcm[: 30 * 16_000], 16_000)
    return path


@pytest.mark.parametrize(
    ("names", "text"),
    [((), "Turn on the light."), (("friday",), "Friday, stop."), (("friday",), "Well, then.")],
)
def test_a_replay_decides_as_a_stream(file: Path, names: tuple[str, ...], text: str) -> None:
    settings = Settings(asr=ScriptedRecognizer(text=text), names=names, turn_model="none")
    models = Models.load(settings, detector=LoudnessDetector())
    heard = hear(models, FileSource(file))
    assert heard.heard_s == 30
    assert len(heard.utterances) > 3
    deciding = Deciding(models.stream().decider.addressing)
    for threshold in (0.1, 0.4, 0.8, 0.999):
        events = models.stream(threshold=threshold).run(FileSource(file))
        decided = [one for one in events if isinstance(one, Utterance)]
        outcomes = deciding.outcomes(heard, threshold)
        assert [one.decision for one in outcomes] == [one.decision for one in decided]
        assert [one.probability for one in outcomes] == [
            one.directed_probability for one in decided
        ]


def test_nothing_of_the_words_is_kept(file: Path) -> None:
    models = Models.load(
        Settings(asr=ScriptedRecognizer(text="zebra crossing")), detector=LoudnessDetector()
    )
    assert "zebra" not in repr(hear(models, FileSource(file)))


class Endless:
    live = False
    closed = False

    def __iter__(self):
        while not self.closed:
            yield Block(np.zeros(1000, np.int16))
            yield Gap(500, "test")

    def close(self) -> None:
        self.closed = True


def test_a_limited_source_ends() -> None:
    endless = Endless()
    items = list(Limited(endless, 10_000))
    assert endless.closed
    lengths = [len(one.pcm) if isinstance(one, Block) else one.lost_samples for one in items]
    assert 10_000 <= sum(lengths) < 11_500
