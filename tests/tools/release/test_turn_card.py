"""What the shipped card says of the end-of-turn head."""

import re

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.release.turn_card import turn_section
from turbo_stream.detection.package import ModelPackage
from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation.config import SegmenterConfig

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
        "rules": {"fixed 600": rule(0.013, 658.4), "turbo 400 0.7": rule(0.01, 492.0)},
    }
    said = turn_section({**FOUND, "measured": measured})
    waits = "400 ms from a probability of 0.86 on, 540 ms at 0.7, and 800 ms at most, below 0.29."
    assert waits in said
    assert "| prompts, talk | 9 | 4 | 0.81 | 53.8 % |" in said
    assert "| books | 0 | 5 | – | – |" in said
    assert "prompts (12 / 3 / 24)" in said
    assert "| turbo 400 0.7 | clean | 306 | 1.0 % | 492 ms | 900 ms |" in said


def test_without_a_measurement_there_is_no_table_of_rules():
    assert "utterances" not in turn_section(FOUND).split("Learnt from")[1]


@pytest.mark.parametrize("threshold", (0.5, 0.7, 0.9))
def test_the_section_says_what_the_segmenter_does(threshold):
    said = turn_section({**FOUND, "threshold": threshold})
    sure, unsure = map(float, re.search(r"([\d.]+) on, .* below ([\d.]+)\.", said).groups())
    silence = EndSilence(SegmenterConfig(finished_threshold=threshold))

    def waits_ms(probability):
        return silence.required_samples(1000, probability) / 16

    assert waits_ms(sure + 0.005) == 400 and waits_ms(sure - 0.02) > 400
    assert waits_ms(unsure - 0.005) == 800 and waits_ms(unsure + 0.02) < 800
    assert waits_ms(threshold) == 540


def test_the_shipped_card_has_the_section_of_today():
    shipped = ModelPackage.load()
    card = (shipped.folder / "README.md").read_text("utf-8")
    assert turn_section(shipped.metrics["end_of_turn"]) in card
