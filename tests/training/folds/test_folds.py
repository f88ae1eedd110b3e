import json
from collections import Counter

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the train extra")

from dataclasses import replace
from pathlib import Path

from training.data.config import DataConfig
from training.data.row import Row
from training.folds.__main__ import main
from training.folds.fold_file import read_folds, shipped_folds
from training.folds.split import PAIRS, choose_dev, nested_subset, split_rows
from turbo_stream.errors import InputError

LABELS = ("a", "b")


def row(index, label, group, text=None, **columns):
    return Row(
        audio=Path(f"{index}.wav"),
        label=label,
        text=text,
        hypotheses=(),
        collection="c",
        group=group,
        names=(),
        columns={"audio_filepath": f"{index}.wav", **columns},
    )


def rows_of_sets():
    """Four sets of both classes with six groups each, and group 0 in all of them."""
    return [
        row(f"{name}{group}{label}{take}", label, "0" if group == 0 else f"{name}{group}", set=name)
        for name in "wxyz"
        for group in range(6)
        for label in (0, 1)
        for take in range(2)
    ]


def write_folds(folder, **content):
    path = folder / "folds.json"
    path.write_text(json.dumps({"name": "n", "column": "set", **content}))
    return str(path)


def test_no_group_of_the_test_is_trained_or_chosen_on(tmp_path):
    folds = write_folds(tmp_path, folds=[{"test": ["w"]}, {"test": ["x"]}], dev=["z"])
    for fold, name in enumerate("wx"):
        split = split_rows(rows_of_sets(), DataConfig(folds=folds, fold=fold), 0, LABELS)
        assert {r.columns["set"] for r in split.test} == {name}
        assert {r.columns["set"] for r in split.dev} == {"z"}
        assert {r.columns["set"] for r in split.train} == set("wxy") - {name}
        groups = [{r.group for r in part} for part in (split.train, split.dev, split.test)]
        assert not groups[0] & groups[1]
        assert not groups[0] & groups[2]
        assert not groups[1] & groups[2]
        assert "0" in groups[2]


def test_the_same_words_are_kept_apart_where_asked(tmp_path):
    rows = [row(i, i % 2, f"g{i}", f"Text {i % 8}!", set="wxyz"[i // 8]) for i in range(32)]
    rows += [row(100 + i, i % 2, f"h{i}", f"other {i}", set="y") for i in range(20)]
    common = {"folds": [{"test": ["w"]}], "dev": {"share": 0.3, "by": "text"}}
    folds = write_folds(tmp_path, keep_apart=["text"], **common)
    split = split_rows(rows, DataConfig(folds=folds), 0, LABELS)
    texts = [{r.key("text") for r in part} for part in (split.train, split.dev, split.test)]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]
    assert len(split.train) + len(split.dev) == 20


def test_unshippable_rows_test_but_do_not_teach(tmp_path):
    folds = write_folds(tmp_path, folds=[{"test": ["w"]}], dev=["z"])
    rows = [replace(r, shippable=r.columns["set"] in "xz") for r in rows_of_sets()]
    split = split_rows(rows, DataConfig(folds=folds), 0, LABELS)
    assert {r.columns["set"] for r in split.train} == {"x"}
    assert len(split.test) == 24


def test_a_development_share_takes_whole_groups_of_every_class():
    rows = [row(i, i % 2, f"g{i // 4}") for i in range(200)]
    chosen = choose_dev(rows, 0.2)
    taken = Counter(r.label for r in rows if r.group in chosen)
    assert taken == {0: 20, 1: 20}
    rare = [*rows, row("rare", 2, "alone"), row("rare2", 2, "lonely")]
    assert len({"alone", "lonely"} & choose_dev(rare, 0.2)) == 1


def test_subsets_are_nested_balanced_and_drawn_by_the_seed():
    rows = [row(i, i % 3, f"g{i}") for i in range(90)]
    names = {}
    for size in (10, 30, 60):
        chosen = nested_subset(rows, size, seed=1)
        counts = Counter(r.label for r in chosen)
        assert sum(counts.values()) == size
        assert max(counts.values()) - min(counts.values()) <= 1
        names[size] = {r.audio for r in chosen}
    assert names[10] < names[30] < names[60]
    assert {r.audio for r in nested_subset(rows[::-1], 10, seed=1)} == names[10]
    assert {r.audio for r in nested_subset(rows, 10, seed=2)} != names[10]


def test_what_is_wrong_with_folds_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="tests twice"):
        read_folds(write_folds(tmp_path, folds=[{"test": ["w"]}, {"test": ["w"]}]))
    with pytest.raises(InputError, match="no fold file"):
        read_folds(write_folds(tmp_path, fold=[]))
    with pytest.raises(InputError, match="iemocap"):
        read_folds(str(tmp_path / "none.json"))
    folds = write_folds(tmp_path, folds=[{"test": ["q"]}], dev=["z"])
    with pytest.raises(InputError, match="no row has set q"):
        split_rows(rows_of_sets(), DataConfig(folds=folds), 0, LABELS)
    with pytest.raises(InputError, match="folds 0 to 0"):
        split_rows(rows_of_sets(), DataConfig(folds=folds, fold=1), 0, LABELS)
    alone = [r for r in rows_of_sets() if r.label == 0 or r.columns["set"] == "q"]
    with pytest.raises(InputError, match="training set has no b"):
        split_rows(alone, DataConfig(), 0, LABELS)


@pytest.mark.parametrize("name", shipped_folds())
def test_shipped_folds_are_read(name):
    folds = read_folds(name)
    assert folds.name == name
    assert len(folds.tests) in (1, 3, 5, 6)


def test_folds_by_speaker_are_balanced_and_repeatable(tmp_path):
    lines = [
        {"audio_filepath": f"{s}_{i}.wav", "label": "ab"[i % 2], "speaker": f"s{s}"}
        for s in range(12)
        for i in range(4 + s % 3)
    ]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "folds.json"
    call = [str(tmp_path / "m.jsonl"), "--column", "speaker", "--folds", "3", "--out", str(out)]
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 0, result.output
    content = json.loads(out.read_text())
    values = [value for fold in content["folds"] for value in fold["test"]]
    assert sorted(values) == sorted({line["speaker"] for line in lines})
    sizes = [sum(line["speaker"] in fold["test"] for line in lines) for fold in content["folds"]]
    assert max(sizes) - min(sizes) <= 2
    lines.reverse()
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert CliRunner().invoke(main, call).exit_code == 0
    assert json.loads(out.read_text()) == content
    assert read_folds(str(out)).column == "speaker"


def test_no_fold_of_pairs_chooses_by_what_it_tests_and_all_choose_by_several():
    folds = read_folds("rej")
    assert len(PAIRS) == len(folds.tests) == 6
    assert len({pair.split(",")[1] for pair in PAIRS}) == 6
    for test, parts in zip(folds.tests, folds.devs, strict=True):
        assert len(parts) >= 2
        assert not set(test) & {value for part in parts for value in part}
        assert all(part in folds.tests for part in parts)


def test_a_collection_tests_with_its_rows_of_one_class_and_teaches_with_none(tmp_path):
    folds = write_folds(
        tmp_path, folds=[{"test": ["w:b", "x:a"], "dev": [["y:a", "z:b"]]}], keep_apart=["set"]
    )
    rows = [*rows_of_sets(), row("u1", 0, "u", set="u"), row("u2", 1, "u", set="u")]
    split = split_rows(rows, DataConfig(folds=folds), 0, LABELS)
    assert {(r.columns["set"], r.label) for r in split.test} == {("w", 1), ("x", 0)}
    assert {(r.columns["set"], r.label) for r in split.dev} == {("y", 0), ("z", 1)}
    assert {r.columns["set"] for r in split.train} == {"u"}


def test_a_development_set_of_several_parts_says_which_is_which(tmp_path):
    parts = [["y:a", "y:b"], ["z"]]
    folds = write_folds(tmp_path, folds=[{"test": ["w"], "dev": parts}], exclude=["v"])
    rows = [*rows_of_sets(), row("v1", 0, "v", set="v")]
    split = split_rows(rows, DataConfig(folds=folds), 0, LABELS)
    assert {n: {r.columns["set"] for r in part} for n, part in split.dev_parts.items()} == {
        "y:a × y:b": {"y"},
        "z": {"z"},
    }
    assert len(split.dev) == sum(map(len, split.dev_parts.values()))
    assert {r.columns["set"] for r in split.train} == {"x"}
    lacking = [r for r in rows if r.columns["set"] != "z" or r.label == 0]
    with pytest.raises(InputError, match="z chooses the weights and has rows of one class"):
        split_rows(lacking, DataConfig(folds=folds), 0, LABELS)


def test_what_a_fold_of_collections_lacks_is_said(tmp_path):
    folds = write_folds(tmp_path, folds=[{"test": ["w", "q"]}], dev=["z"])
    with pytest.raises(InputError, match="no row has set q;"):
        split_rows(rows_of_sets(), DataConfig(folds=folds), 0, LABELS)
    with pytest.raises(InputError, match="z is in test and in dev"):
        read_folds(write_folds(tmp_path, folds=[{"test": ["z"]}], dev=["z"]))


def line(text, collection="lines"):
    return replace(row(text, 1, text, text), audio=None, collection=collection)


def spoken(text, source="lines"):
    found = row(f"synthetic {text}", 1, f"voice {text}", text, engine="flite")
    return replace(found, collection="flite", synthetic=True, text_source=source)


def pair_of_collections():
    """A collection of commands with its templates known, and three others."""
    return [
        *(
            replace(row(f"{name}{i}", label, f"{name}{i}", text, set=name), collection=name)
            for name, label, text in (
                ("coffee_commands", 1, None),
                ("conversation", 0, "Well, maybe."),
                ("alert_words", 1, "Operator!"),
                ("read_sentences", 0, "yes"),
                ("phone_assistant", 1, "yes"),
                ("phone_talk", 0, "well maybe"),
            )
            for i in range(4)
        ),
        *(
            make(text)
            for text in ("well maybe", "operator", "good morning")
            for make in (line, spoken)
        ),
        line("a latte please", "pico_coffee_corpus"),
        spoken("one large latte", "pico_coffee_corpus"),
    ]


def test_no_sentence_of_a_collection_met_in_a_test_is_read_or_spoken_in_training(tmp_path):
    """The templates of the tested collection, the words of the other, and of the development."""
    folds = write_folds(
        tmp_path,
        folds=[{"test": ["coffee_commands", "conversation"]}],
        dev=["alert_words", "read_sentences"],
    )
    split = split_rows(pair_of_collections(), DataConfig(folds=folds, dev_share=0.0), 0, LABELS)
    learned = [r for r in split.train if r.audio is None or r.synthetic]
    assert {r.text for r in learned} == {"good morning"}
    assert len(learned) == 2
    # What people say in other recordings stays, the same short words too.
    real = {(r.collection, r.text) for r in split.train if r not in learned}
    assert real == {("phone_assistant", "yes"), ("phone_talk", "well maybe")}


def test_the_words_of_a_test_are_only_left_out_where_collections_are_tested(tmp_path):
    folds = write_folds(tmp_path, column="half", folds=[{"test": ["1"]}], dev={"share": 0.3})
    rows = [
        replace(r, columns={**r.columns, "half": str(i % 2)}) if not r.synthetic else r
        for i, r in enumerate(pair_of_collections())
    ]
    split = split_rows(rows, DataConfig(folds=folds, dev_share=0.0), 0, LABELS)
    assert sum(r.audio is None for r in split.train) == 4


def test_what_a_manifest_keeps_for_a_test_of_its_own_teaches_no_fold_of_collections(tmp_path):
    folds = write_folds(tmp_path, folds=[{"test": ["w"]}], dev=["z"])
    rows = [replace(r, fold="test" if r.columns["set"] == "x" else None) for r in rows_of_sets()]
    split = split_rows(rows, DataConfig(folds=folds), 0, LABELS)
    assert {r.columns["set"] for r in split.train} == {"y"}
    assert len(split.test) == 24


def test_the_folds_of_lines_leave_out_what_any_pair_tests():
    (tested,) = read_folds("rej_lines").tests
    pairs = {value.partition(":")[0] for test in read_folds("rej").tests for value in test}
    assert set(tested) == pairs


def test_a_run_on_lines_alone_needs_no_recordings_to_learn_from(tmp_path):
    folds = write_folds(tmp_path, folds=[{"test": ["w"]}], dev={"share": 0.0})
    rows = [item for item in rows_of_sets() if item.columns["set"] == "w"]
    lines = [
        replace(row(text, index % 2, text, text), audio=None, collection="lines")
        for index, text in enumerate(("one", "two", "three", "four"))
    ]
    data = DataConfig(folds=folds, text_share=1.0, dev_share=0.5)
    split = split_rows([*rows, *lines], data, 0, LABELS)
    assert {item.audio for item in (*split.train, *split.dev)} == {None}
    with pytest.raises(InputError, match="training set has no"):
        split_rows([*rows, *lines], replace(data, text_share=0.9), 0, LABELS)
    with pytest.raises(InputError, match="training set has no"):
        split_rows(rows, data, 0, LABELS)
    with pytest.raises(InputError, match="nothing chooses the weights"):
        split_rows([*rows, *lines], replace(data, dev_share=0.0), 0, LABELS)
