import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="needs the train extra")

from tokenizers import Tokenizer, models, pre_tokenizers

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tools.export.parity.sets import recorded_sets


@pytest.fixture(scope="module")
def tiny():
    return Turbo(TINY)


@pytest.fixture(scope="module")
def tokenizer():
    vocabulary = {word: index for index, word in enumerate(("[PAD]", "[UNK]", "a", "b"))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def manifest(folder, folds):
    rng = np.random.default_rng(0)
    rows = []
    for number, fold in enumerate(folds):
        name = f"{number}.wav"
        # Its length tells a clip.
        soundfile.write(folder / name, rng.normal(0, 0.1, 1600 + number), 16_000)
        label = ("directed", "not_directed")[number % 2]
        row = {"audio_filepath": name, "label": label, "text": "a b", "speaker": f"s{number}"}
        rows.append(row | ({"fold": fold} if fold else {}))
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_no_clip_is_calibrated_on_and_compared_on(tiny, tokenizer, tmp_path):
    sets = recorded_sets(tiny, tokenizer, manifest(tmp_path, [None] * 40), ())
    aside = {len(item.sound) for item in sets.calibration}
    tested = {len(item.sound) for item in sets.test}
    assert len(aside) == 10 and len(tested) == 30 and not aside & tested
    assert {item.label for item in sets.test} == {0, 1}


def test_a_test_fold_is_what_is_compared_on(tiny, tokenizer, tmp_path):
    folds = ["train", "dev", "test", "test"] * 5
    sets = recorded_sets(tiny, tokenizer, manifest(tmp_path, folds), ())
    assert sorted(len(item.sound) - 1600 for item in sets.test) == [
        number for number, fold in enumerate(folds) if fold == "test"
    ]
    assert len(recorded_sets(tiny, tokenizer, tmp_path / "manifest.jsonl", (), 4).test) == 4
