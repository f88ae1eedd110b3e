import gzip
import json
import random

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.data.corrupt import Mishearing
from training.data.hypotheses import MISSING, read_hypotheses
from training.data.manifest import (
    found_labels,
    held_text_keys,
    read_manifest,
    read_texts,
)
from training.data.names import PLACE, placed_name
from training.data.row import text_key
from turbo_stream.addressing.name_mark import OWN_NAME
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import stable_share
from turbo_stream.evaluation.corpus.part import Part

LABELS = ("not_directed", "directed")


def write_lines(path, rows):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_manifest_rows_meet_their_hypotheses(tmp_path):
    keep = {"audio_filepath": "a.wav", "label": "directed", "set": "x", "device_name": "luna"}
    rows = [
        keep,
        {**keep, "audio_filepath": "b.wav", "nominal": True},
        {**keep, "audio_filepath": "c.wav", "shippable": False},
        {**keep, "audio_filepath": "d.wav", "label": "music"},
    ]
    write_lines(tmp_path / "m.jsonl", rows)
    heard = [{"audio_filepath": "a.wav", "text": "hello luna", "avg_logprob": -0.5}]
    write_lines(tmp_path / "h.jsonl", heard)
    hypotheses = read_hypotheses([tmp_path / "h.jsonl"])
    found = read_manifest(tmp_path / "m.jsonl", LABELS, hypotheses)
    assert [(row.audio.name, row.shippable) for row in found] == [("a.wav", True), ("c.wav", False)]
    assert found[0].names == ("luna",)
    assert found[0].hypotheses[0].confidence == (-0.5, 0.0, 1.0, 0.0)


def test_a_sentence_in_two_files_is_kept_once(tmp_path):
    line = {"text": "Turn it on!", "label": "directed"}
    write_lines(tmp_path / "a.jsonl.gz", [line])
    write_lines(tmp_path / "b.jsonl.gz", [{**line, "text": "turn it on"}])
    assert [row.collection for row in read_texts(tmp_path, LABELS, set())] == ["a"]


def test_the_same_words_are_kept_in_both_classes_and_after_every_turn(tmp_path):
    yes = {"text": "Yes.", "label": "directed", "before": "Shall I turn it off?"}
    other = {**yes, "label": "not_directed", "before": "are you coming"}
    write_lines(tmp_path / "a.jsonl.gz", [yes, yes, other, {**yes, "before": None}])
    found = read_texts(tmp_path, LABELS, set())
    assert [(row.label, row.before) for row in found] == [
        (1, "Shall I turn it off?"),
        (0, "are you coming"),
        (1, ""),
    ]


def test_a_line_that_a_held_out_clip_speaks_is_not_read(tmp_path):
    write_lines(tmp_path / "a.jsonl.gz", [{"text": t, "label": "directed"} for t in "abc"])
    clips = [{"text": "B!", "fold": "test"}, {"text": "c", "fold": "train"}]
    write_lines(tmp_path / "m.jsonl", clips)
    held = held_text_keys([tmp_path / "m.jsonl"])
    assert [row.text for row in read_texts(tmp_path, LABELS, held)] == ["a", "c"]


def test_a_hypothesis_without_confidence_says_so(tmp_path):
    write_lines(tmp_path / "h.jsonl", [{"audio_filepath": "a", "text": "x"}])
    assert read_hypotheses([tmp_path / "h.jsonl"])[Part("a")][0].confidence == MISSING


def test_predictions_of_turbo_eval_are_hypotheses(tmp_path):
    whole = {"audio_filepath": "a", "text": "the truth", "text_used": "he heard"}
    asr = {"backend": "pocketsphinx", "avg_logprob": -1.5, "no_speech_prob": None}
    rows = [
        {**whole, "asr": {**asr, "compression_ratio": 1.25}},
        {**whole, "audio_filepath": "b", "text_used": "", "asr": asr},
        {**whole, "audio_filepath": "c", "text_used": "", "asr": {"backend": "none"}},
        {
            **whole,
            "audio_filepath": "d",
            "text_used": "",
            "asr": {"backend": "whisper:x", "avg_logprob": -0.75, "no_speech_prob": 0.5},
        },
        {**whole, "audio_filepath": "e", "asr": {**asr, "guard": "repeats"}},
        {**whole, "audio_filepath": "f", "text_used": "", "asr": {"backend": "gold"}},
    ]
    write_lines(tmp_path / "predictions.jsonl", rows)
    found = read_hypotheses([tmp_path / "predictions.jsonl"])
    assert found[Part("a")][0].text == "he heard"
    assert found[Part("a")][0].confidence == (-1.5, 0.0, 1.25, 0.0)
    assert (found[Part("b")][0].text, found[Part("b")][0].confidence) == ("", (0.0, 1.0, 1.0, 0.0))
    assert found[Part("d")][0].confidence == (0.0, 1.0, 1.0, 0.0), "as the device will be told"
    for name, why in (("e", "not to be believed"), ("f", "nobody listened")):
        heard = found[Part(name)][0]
        assert (heard.text, heard.confidence) == ("", MISSING), why
    assert Part("c") not in found


def test_whose_words_are_read_can_be_chosen(tmp_path):
    write_lines(tmp_path / "h.jsonl", [{"audio_filepath": "a.wav", "text": "x", "avg_logprob": -1}])
    row = {"audio_filepath": "a.wav", "label": "directed", "text": "true words"}
    write_lines(tmp_path / "m.jsonl", [row])
    heard = read_hypotheses([tmp_path / "h.jsonl"])
    (found,) = read_manifest(tmp_path / "m.jsonl", LABELS, heard)
    said = {kind: found.words(kind)[0] for kind in ("auto", "gold", "asr", "none")}
    assert said == {"auto": "x", "gold": "true words", "asr": "x", "none": ""}
    assert found.words("gold")[1] == MISSING
    (alone,) = read_manifest(tmp_path / "m.jsonl", LABELS, {})
    assert (alone.words("auto")[0], alone.words("asr")) == ("true words", ("", MISSING))


def test_the_same_speaker_is_one_group_in_every_collection(tmp_path):
    row = {"audio_filepath": "a.wav", "label": "directed", "speaker": "anna"}
    write_lines(tmp_path / "m.jsonl", [{**row, "set": "x"}, {**row, "set": "y"}])
    found = read_manifest(tmp_path / "m.jsonl", LABELS, {})
    assert [row.collection for row in found] == ["x", "y"]
    assert {row.group for row in found} == {"anna"}


def test_what_is_wrong_with_a_manifest_is_said_in_one_line(tmp_path):
    row = {"audio_filepath": "a.wav", "label": "yes"}
    write_lines(tmp_path / "m.jsonl", [row, {"audio_filepath": "b.wav"}])
    with pytest.raises(InputError, match="item 2 has no label"):
        found_labels([tmp_path / "m.jsonl"])
    write_lines(tmp_path / "m.jsonl", [row])
    with pytest.raises(InputError, match="only the label yes"):
        found_labels([tmp_path / "m.jsonl"])
    with pytest.raises(InputError, match="none.jsonl"):
        found_labels([tmp_path / "none.jsonl"])
    (tmp_path / "h.jsonl").write_text('{"audio_filepath": "a"}\nnothing\n')
    with pytest.raises(InputError, match="line 2 is no JSON"):
        read_hypotheses([tmp_path / "h.jsonl"])


def test_keys_ignore_case_and_punctuation_but_not_apostrophes():
    assert text_key("Don't, STOP!") == "don't stop"


def test_shares_are_stable():
    assert stable_share("group") == stable_share("group")
    assert 0.08 < sum(stable_share(str(i)) < 0.1 for i in range(3000)) / 3000 < 0.12


def test_a_name_is_called_in_speech_to_the_device_and_mentioned_in_other_speech():
    rng = random.Random(0)
    called = [placed_name("turn it off", rng, called=True) for _ in range(2000)]
    mentioned = [placed_name("he said that it was late", rng, called=False) for _ in range(2000)]
    for texts in (called, mentioned):
        assert 0.05 < sum(OWN_NAME in text for text in texts) / 2000 < 0.2
    assert OWN_NAME in {text.removeprefix("hey ")[0] for text in called}
    assert {text for text in mentioned if text.startswith(OWN_NAME)}, (
        "its place alone tells nothing"
    )
    assert any(f"said that {OWN_NAME} was" in text for text in mentioned)


def test_a_line_has_the_name_where_it_was_written():
    rng = random.Random(0)
    found = [placed_name("so {name} left", rng, called=False) for _ in range(400)]
    assert all(PLACE not in text for text in found)
    share = sum(text == f"so {OWN_NAME} left" for text in found) / 400
    assert 0.6 < share < 0.8, "else the device was not told its name, or it was misheard"


def test_mishearing_prefers_words_that_sound_alike():
    sounds = {"light": ["L", "AY", "T"], "right": ["R", "AY", "T"], "moon": ["M", "UW", "N"]}
    sounds |= {"soon": ["S", "UW", "N"], "tonight": ["T", "AH", "N", "AY", "T"]}
    mishear = Mishearing([" ".join(sounds)] * 2, sounds, neighbours=1)
    assert mishear.alike["light"] == ["right"]
    assert mishear.alike["moon"] == ["soon"]
    rng = random.Random(0)
    assert mishear("light moon", rng, rate=0.0) == "light moon"
    assert any(mishear("light moon", rng, rate=1.0) != "light moon" for _ in range(5))
