"""Tables of sounds, learned from a little."""

import json

from click.testing import CliRunner

from tests.support.paths import ROOT
from tools.pronunciation.__main__ import main
from tools.pronunciation.alignment import Aligner
from tools.pronunciation.confusions import learn, misheard
from tools.pronunciation.features import PHONES, difference
from tools.pronunciation.letters import dictionary_words, error_rates
from tools.pronunciation.letters import learn as learn_letters
from turbo_stream.addressing.letter_sounds import shipped_table

DICTIONARY = ROOT / "turbo_stream" / "assets" / "pocketsphinx-en" / "words.dict"


def test_letters_are_aligned_with_their_sounds() -> None:
    words = list(dictionary_words(DICTIONARY))[::20]
    aligned = Aligner(words).align(("fox", ("F", "AA", "K", "S")))
    assert aligned == [("f", ("F",)), ("o", ("AA",)), ("x", ("K", "S"))]


def test_a_table_of_few_words_guesses_the_most_common() -> None:
    words = list(dictionary_words(DICTIONARY))[::40]
    table = learn_letters(words, gain=2, aligned_from=500)
    assert error_rates(words, table)["phone_error_rate"] < 0.2


def test_the_shipped_table_gets_nine_phones_in_ten_right() -> None:
    words = list(dictionary_words(DICTIONARY))[::20]
    assert error_rates(words, shipped_table())["phone_error_rate"] < 0.1


def test_what_is_confused_becomes_cheap_and_names_are_left_out() -> None:
    pairs = list(misheard("the thin cat", "the fin cat", ["friday"]))
    assert (("TH", "IH", "N"), ("F", "IH", "N")) in pairs
    assert not list(misheard("friday", "fry day", ["friday"]))
    before, _ = learn([], belief=20)
    after, changes = learn(pairs * 20, belief=20)
    one, other = before.numbers["TH"], before.numbers["F"]
    assert after.swap[one, other] < before.swap[one, other]
    assert changes.pairs == 20


def test_features_make_a_distance() -> None:
    for one in PHONES:
        assert difference(one, one) == 0.0
        for other in PHONES:
            assert difference(one, other) == difference(other, one) <= 1.0
    assert difference("B", "P") < difference("B", "S")


def test_the_command_prints_costs(tmp_path) -> None:
    row = {"text": "the thin cat", "asr_text": "the fin cat", "group": "b", "names": []}
    (tmp_path / "r.jsonl").write_text(json.dumps(row) + "\n")
    run = CliRunner().invoke(main, ["confusions", str(tmp_path / "r.jsonl")])
    costs = json.loads(run.stdout)
    assert len(costs["gap"]) == len(costs["swap"]) == len(costs["phones"]) == 39
