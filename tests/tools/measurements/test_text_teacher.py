"""A frozen encoder's vectors are those of each text, and heads know what lines have taught."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")
transformers = pytest.importorskip("transformers", reason="needs the train extra")
pytest.importorskip("sklearn", reason="needs the eval extra")

from models.sound_library import load_torchaudio
from tests.support.tiny_corpus import word_tokenizer
from tools.measurements.text_teacher.__main__ import figures, of_pair
from tools.measurements.text_teacher.lines import Drawn, drawn_lines, training_lines
from tools.measurements.text_teacher.vectors import Encoder, kept_vectors
from training.data.hypotheses import MISSING, Hypothesis
from training.data.row import Row
from training.folds.split import PAIRS
from training.folds.topic import TOPICS

WORDS = ["light", "lamp", "on", "off", "maybe", "well", "then", "coffee"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    with suppress(ModuleNotFoundError):
        load_torchaudio()  # transformers wants it to be importable where it is installed
    found = tmp_path_factory.mktemp("encoder")
    word_tokenizer(WORDS).save(str(found / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    )
    transformers.BertModel(config).save_pretrained(found)
    return found


def line(text: str, label: int, collection: str = "lines") -> Row:
    return Row(None, label, text, (), collection, text, ())


def recording(collection: str, label: int, text: str, number: int) -> Row:
    heard = (Hypothesis(text, MISSING),)
    place = Path(f"{collection}{number}.wav")
    return Row(place, label, text, heard, collection, f"{collection}{number}", ())


def test_a_vector_is_that_of_its_text_in_any_company_and_is_kept(folder, tmp_path) -> None:
    encoder = Encoder(folder, (1, 2))
    alone = encoder(["light on"])
    together = encoder(["maybe well then maybe well then", "light on", "off"])
    assert alone.shape == (1, 2, 32)
    np.testing.assert_allclose(together[1], alone[0], atol=0.03)
    assert np.abs(together[0] - together[1]).max() > 0.1
    first = kept_vectors(encoder, ["light on"], tmp_path)
    made: list[str] = []
    counted = Encoder(folder, (1, 2))

    class Counting:
        key = counted.key

        def __call__(self, texts):
            made.extend(texts)
            return counted(texts)

    again = kept_vectors(Counting(), ["light on"], tmp_path)  # type: ignore[arg-type]
    np.testing.assert_array_equal(first, again)
    assert not made
    kept_vectors(Counting(), ["light off"], tmp_path)  # type: ignore[arg-type]
    assert made == ["light off"]
    assert kept_vectors(Encoder(folder, (1,)), ["light on"], tmp_path).shape == (1, 1, 32)


def test_lines_of_a_test_and_where_asked_its_topic_are_left_out() -> None:
    tests = [recording("conversation", 0, "well then maybe well", 0)]
    rows = [
        line("one coffee please", 1),
        line("light on", 1),
        line("maybe then", 0),
        line("well then maybe well", 0),
        line("a latte", 1, TOPICS["coffee_commands"].sources[0]),
    ]
    others = [
        line(text, n % 2)
        for n, text in enumerate(
            ("open the door", "the door is open again", "close every window", "they close at ten")
        )
    ]
    known = {row.text for row in training_lines([*rows, *others], tests, topics=True)}
    left = training_lines([*rows, *others], tests, topics=False)
    assert {row.text for row in left} == {row.text for row in (*rows[1:3], *others)}
    assert known - {row.text for row in left} == {"one coffee please"}
    lines = drawn_lines(left, 1, 400, topics=False)
    assert len(lines) == 400 and {one.label for one in lines} == {0, 1}
    said = {word for one in lines for word in one.text.split()}
    assert not {"coffee", "alexa", "operator"} & said


def test_heads_know_a_pair_by_what_the_lines_have_taught(folder) -> None:
    encoder = Encoder(folder, (2,))
    told = [["light on", "lamp off", "light off"], ["maybe well", "well then", "then maybe"]]
    drawn = [Drawn(told[1 - n % 2][n // 2 % 3], n % 2) for n in range(60)]
    rows = [
        recording(name, label, told[1 - label][n % 3], n)
        for pair in PAIRS
        for name, label in zip(pair.split(","), (1, 0), strict=True)
        for n in range(6)
    ]
    vectors = encoder([one.text for one in drawn])[:, 0].astype(np.float32)
    tests = encoder([row.hypotheses[0].text for row in rows])[:, 0].astype(np.float32)
    known = figures(rows, drawn, vectors, tests)
    assert set(known) == set(PAIRS)
    assert all(max(row["eer"]) == 0.0 for row in known.values())
    turned = [Drawn(one.text, 1 - one.label) for one in drawn]
    assert min(figures(rows, turned, vectors, tests)[PAIRS[0]]["eer"]) == 1.0
    at = of_pair(rows, PAIRS[0])
    assert {rows[i].collection for i in at} == set(PAIRS[0].split(","))
