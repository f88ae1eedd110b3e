import json
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("scipy", reason="needs the train extra")

from tools.corpus.own_texts import own_sentences
from tools.corpus.recording import Recordings
from tools.corpus.text_sources import TextSources
from turbo_stream.errors import InputError


@pytest.fixture(scope="module")
def texts() -> TextSources:
    return TextSources(own_sentences(), random.Random(0))


def manifest(folder: Path, *rows: dict) -> Path:
    noise = np.random.default_rng(0).standard_normal(8000) * 0.1
    soundfile.write(folder / "a.wav", noise, 8000)
    path = folder / "real.jsonl"
    path.write_text("".join(json.dumps({"audio_filepath": "a.wav", **row}) + "\n" for row in rows))
    return path


def test_one_speaker_and_one_sentence_are_on_one_side(tmp_path: Path, texts: TextSources) -> None:
    rows = [
        {"label": "directed", "group": f"speaker {at % 40}", "text": f"sentence number {at % 25}"}
        for at in range(400)
    ]
    found = Recordings([manifest(tmp_path, *rows)], texts, seed=0)
    assert len(found.clips) + found.left_out == 400
    assert len(found.clips) > 200
    for column in ("group", "text"):
        sides: dict[str, set[str]] = {}
        for clip in found.clips:
            sides.setdefault(clip.item.row[column], set()).add(clip.scene.fold)
        assert max(len(folds) for folds in sides.values()) == 1
    assert {clip.scene.fold for clip in found.clips} == {"train", "dev", "test"}


def test_the_manifests_own_fold_and_nominal_rows_are_heeded(
    tmp_path: Path, texts: TextSources
) -> None:
    found = Recordings(
        [
            manifest(
                tmp_path,
                {"label": "directed", "fold": "test"},
                {"label": "directed", "nominal": True},
            )
        ],
        texts,
        seed=0,
    )
    assert [clip.scene.fold for clip in found.clips] == ["test"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "item 1 has the label None; give directed or not_directed"),
        ({"label": "maybe"}, "item 1 has the label 'maybe'"),
        ({"label": "directed", "fold": "valid"}, "item 1 has the fold 'valid'; give train, dev"),
        ({"label": "directed", "audio_filepath": "gone.wav"}, "gone.wav: no such file"),
        ({"label": "directed", "offset": 9.0}, "a.wav has no sound"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, texts: TextSources, row: dict, said: str
) -> None:
    with pytest.raises(InputError) as refusal:
        Recordings([manifest(tmp_path, row)], texts, seed=0)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
