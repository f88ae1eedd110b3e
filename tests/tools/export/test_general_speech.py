"""General speech is added to a package, which then has it and is whole."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.learned_speech import recorded
from tests.support.tiny_package import write_package
from tools.export.general_speech import add_general_speech, chosen
from training.data.row import Row
from turbo_stream.deciding.learner_of_models import kernel_of
from turbo_stream.detection.package import ModelPackage


def test_a_package_gets_points_around_the_means(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "tiny")
    vectors, _, _ = recorded()
    mute = replace(vectors[0], has_text=False)
    texts = np.array([one.text for one in vectors], np.float64)
    add_general_speech(folder, [mute, *vectors], texts, points=20)
    general = kernel_of(ModelPackage.load(folder)).general
    assert len(general.points) == 20  # the mute one is none
    assert general.text_mean is not None and np.allclose(
        general.text_mean, texts.mean(axis=0), atol=2e-3
    )
    placed = general.place(vectors[:20])
    assert np.allclose((placed.audio * general.points.audio).sum(axis=1), 1, atol=1e-2)
    shutil.rmtree(folder)


def row(collection: str, label: int, number: int, **more) -> Row:
    audio = Path(f"{collection}{label}{number}.wav")
    return Row(
        **{
            "audio": audio,
            "label": label,
            "text": "hello",
            "hypotheses": (),
            "collection": collection,
            "group": str(number),
            "names": (),
            **more,
        }
    )


def test_collections_come_in_turn_and_what_may_not_ship_does_not() -> None:
    rows = [row("large", 0, n) for n in range(300)] + [row("small", 1, n) for n in range(3)]
    rows += [row("theirs", 1, n, shippable=False) for n in range(9)]
    rows += [row("lines", 0, n, audio=None) for n in range(4)]
    recordings, lines = chosen(rows, seed=0)
    assert [one.collection for one in recordings[:6]] == ["large", "small"] * 3
    assert len(recordings) == 153 and len(lines) == 4
