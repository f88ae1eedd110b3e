"""Vectors of a text tower, and a table by how many word pieces it has."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("sklearn", reason="needs the eval extra")

from models.turbo import Turbo
from tests.support.tiny_corpus import word_tokenizer, write_tone
from tests.support.tiny_network import TINY
from tools.measurements.vocabulary import __main__ as vocabulary
from training.folds.split import PAIRS
from turbo_stream.cli.command import run_command

DIRECTED, TALK = ("light on", "lamp off please"), ("maybe so then", "well I said so")
WORDS = sorted({word for text in (*DIRECTED, *TALK) for word in text.lower().split()})


def network(words):
    tokenizer = word_tokenizer([*words, *map(str, range(56 - len(words)))])
    return Turbo(replace(TINY, vocabulary_size=60)), tokenizer


def test_a_vector_is_that_of_its_text_in_any_company() -> None:
    model, tokenizer = network(WORDS)
    alone = vocabulary.vectors(model, tokenizer, ["light on"])
    together = vocabulary.vectors(model, tokenizer, ["maybe so then maybe", "light on", "off"])
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_who_lacks_the_words_cannot_tell_them_apart(tmp_path, monkeypatch, capsys) -> None:
    def start_model(config, texts):
        assert set(" ".join(texts).lower().split()) == set(WORDS)
        model, tokenizer = network(WORDS if config.vocabulary_size == 200 else [])
        return replace(model.config, vocabulary_size=config.vocabulary_size), model, tokenizer

    monkeypatch.setattr(vocabulary, "start_model", start_model)
    write_tone(tmp_path / "a.wav", 300.0)
    manifest, heard = tmp_path / "m.jsonl", tmp_path / "predictions.jsonl"
    rows, said = [], []
    for pair in PAIRS:
        for name, label, texts in zip(
            pair.split(","), ("directed", "not_directed"), (DIRECTED, TALK), strict=True
        ):
            for number in range(4):
                path = f"{name}{label}{number}.wav"
                (tmp_path / path).write_bytes((tmp_path / "a.wav").read_bytes())
                row = {"audio_filepath": path, "label": label, "set": name, "group": path}
                rows.append(row)
                said.append({"audio_filepath": path, "text": texts[number % 2]})
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    heard.write_text("".join(json.dumps(row) + "\n" for row in said))
    texts = tmp_path / "texts"
    texts.mkdir()
    with gzip.open(texts / "lines.jsonl.gz", "wt") as file:
        for label, told in (("directed", DIRECTED), ("not_directed", TALK)):
            for text in told:
                file.write(json.dumps({"text": text, "label": label}) + "\n")
    sizes = ["--size", "200", "--size", "100", "--count", "200"]
    files = ["--manifest", str(manifest), "--heard", str(heard)]
    assert run_command(vocabulary.main, [str(texts), *files, *sizes]) == 0
    found = json.loads(capsys.readouterr().out)
    known, spelled = (np.mean([row["eer"] for row in found[size].values()]) for size in found)
    assert known < 0.2 < spelled
