"""What the shipped card says of the end-of-turn head."""

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.release.turn_card import turn_section

FOUND = {
    "threshold": 0.7,
    "data": [{"collection": "prompts", "ends": 12, "pauses": 3, "breaks": 24}],
    "held_out_collections": {
        "prompts,talk": {
            "as_recorded": {
                "ends": 9,
                "pauses": 4,
                "auc": 0.8149,
                "found_at_15_percent_false": 0.538,
            }
        },
        "books": {"as_recorded": {"ends": 0, "pauses": 5, "auc": None}},
    },
}


def rule(cut, wait):
    group = {"all": {"utterances": 306, "cut_share": cut, "wait_ms": {"p50": wait, "p95": 900.0}}}
    return {"family": "f", "setting": "s", "clean": group}


def test_a_package_without_a_head_says_nothing_of_it():
    assert turn_section(None) == ""


def test_the_section_tells_what_was_measured():
    measured = {
        "threshold": 0.7,
        "rules": {"fixed 600": rule(0.013, 658.4), "turbo 320 0.7": rule(0.01, 492.0)},
    }
    said = turn_section({**FOUND, "measured": measured})
    assert "probability of 0.7" in said
    assert "| prompts, talk | 9 | 4 | 0.81 | 53.8 % |" in said
    assert "| books | 0 | 5 | – | – |" in said
    assert "prompts (12 / 3 / 24)" in said
    assert "| turbo 320 0.7 | clean | 306 | 1.0 % | 492 ms | 900 ms |" in said


def test_without_a_measurement_there_is_no_table_of_rules():
    assert "utterances" not in turn_section(FOUND).split("Learnt from")[1]
