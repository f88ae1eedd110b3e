from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.crossval.pairs import without_pair
from training.data.row import Row
from training.fitting.recipe import build_recipe
from training.folds.split import PAIRS, split_rows
from training.folds.topic import TOPICS

LABELS = ("not_directed", "directed")

SOURCES = TOPICS["coffee_commands"].sources


def everything():
    """Four recordings of each collection, and lines and clips of what coffee was read from."""
    found = []
    for directed, other in (pair.split(",") for pair in PAIRS):
        for label, name in enumerate((other, directed)):
            found += [
                Row(
                    audio=Path(f"{name}{i}.wav"),
                    label=label,
                    text=f"said in {name}",
                    hypotheses=(),
                    collection=name,
                    group=f"{name}{i}",
                    names=(),
                    columns={"set": name},
                )
                for i in range(4)
            ]
    texts = [f"said in {name}" for name in ("conversation", "read_sentences")]
    # The second kind names no coffee, and is on it by where it comes from.
    orders = [(name, text) for name in SOURCES for text in ("a latte please", f"no, says {name}")]
    for name, text in (*orders, *(("lines", text) for text in texts)):
        found.append(Row(None, 1, text, (), name, text, ()))
        clip = Row(Path(f"{text}.wav"), 1, text, (), "flite", f"voice {text}", ())
        found.append(replace(clip, synthetic=True, text_source=name))
    return found


@pytest.mark.parametrize("pair", ["coffee_commands,conversation", "coffee_commands,audiobook"])
def test_a_pair_is_left_out_with_all_that_it_says_whether_it_is_a_fixed_one_or_not(pair, tmp_path):
    directed, other = pair.split(",")
    recipe = without_pair(build_recipe("rej", []), (directed, other), tmp_path)
    split = split_rows(everything(), recipe.data, 0, LABELS)
    assert {row.collection for row in split.test} == {directed, other}
    known = {(row.collection, row.text_source, row.text) for row in (*split.train, *split.dev)}
    assert not {directed, other} & {name for name, *_ in known}
    assert not {"pico_coffee_corpus", *SOURCES} & {name for item in known for name in item[:2]}
    assert not {"a latte please", f"said in {other}"} & {text for *_, text in known}
    assert split.train


def test_the_fixed_pairs_choose_by_pairs_and_another_by_a_share(tmp_path):
    recipe = build_recipe("rej", [])
    fixed = without_pair(recipe, ("wake_words", "audiobook"), tmp_path)
    assert (fixed.data.folds, fixed.data.fold) == ("rej", 2)
    assert len(split_rows(everything(), fixed.data, 0, LABELS).dev_parts) == 2
    other = without_pair(recipe, ("wake_words", "conversation"), tmp_path)
    assert not split_rows(everything(), other.data, 0, LABELS).dev_parts
