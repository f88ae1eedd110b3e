"""Labels that are written almost like known ones are told; others are other classes."""

import pytest

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.labels import check_spelling, unknown_labels

KNOWN = ("directed", "not_directed")


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("Directed", "directed"),
        (" directed", "directed"),
        ("directed\u00a0", "directed"),
        ("DIRECTED\n", "directed"),
        ("NOT-DIRECTED", "not_directed"),
        (" not directed ", "not_directed"),
        ("notDirected", "not_directed"),
        ("\uff44irected", "directed"),
    ],
)
def test_a_misspelt_label_is_refused_with_its_row(label: str, meant: str) -> None:
    with pytest.raises(InputError) as error:
        check_spelling([("m, item 1", "directed"), ("m, item 2", label)], KNOWN)
    said = str(error.value)
    assert "m, item 2" in said and repr(label) in said and f"write {meant!r}" in said
    assert "directed, not_directed" in said


def test_labels_of_a_manifest_are_held_against_one_another() -> None:
    with pytest.raises(InputError, match=r"'Happy' differs .* from 'happy' \(first in item 1\)"):
        check_spelling([("item 1", "happy"), ("item 2", "Happy")], KNOWN)


def test_a_blank_label_is_refused() -> None:
    with pytest.raises(InputError, match="item 1: label '  ' is blank"):
        check_spelling([("item 1", "  ")], KNOWN)


def test_other_classes_are_told_and_not_refused() -> None:
    given = [("1", "directed"), ("2", "music"), ("3", "music"), ("4", "not_directed")]
    check_spelling(given, KNOWN)
    assert unknown_labels(given[::3], KNOWN) is None
    said = "not all of its labels are the model's (directed, not_directed): 'music' (2)"
    assert unknown_labels(given, KNOWN) == said
    said = unknown_labels([("1", "1"), ("2", "0")], KNOWN)
    assert said == "none of its labels are the model's (directed, not_directed): '1' (1), '0' (1)"
