"""A stream that knows voices: it says so of accepted speech alone, and nothing else changes."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.support.accepted_utterance import utterance
from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from tests.support.streams import feed, untimed
from turbo_stream import Models, Settings, Utterance
from turbo_stream.cli.view.view import said
from turbo_stream.deciding.household import Household
from turbo_stream.errors import InputError
from turbo_stream.serving._event_schema import event_schemas
from turbo_stream.voices.known import KnownVoices


class Listening:
    """The real encoder, and how many utterances it was given."""

    def __init__(self, encoder) -> None:
        self.encoder, self.heard = encoder, 0

    def vector(self, pcm):
        self.heard += 1
        return self.encoder.vector(pcm)


def decided(pcm, house=None, encoder=None, *, household_only=False, **choices) -> list[Utterance]:
    pipeline = make_pipeline(ScriptedRecognizer(), LoudnessDetector(**choices))
    if house is not None:
        pipeline.decider.household = Household(KnownVoices(house, encoder), household_only)
    return [one for one in feed(pipeline, pcm, [1600]) if isinstance(one, Utterance)]


@pytest.fixture(scope="module")
def three(spoken) -> np.ndarray:
    """`rms`, `awb` and `slt` in turn; the house knows the first and the last."""
    pause = np.zeros(20_000, np.int16)
    return np.concatenate(
        [part for name in ("rms", "awb", "slt") for part in (spoken[name][0], pause)]
    )


def test_accepted_speech_is_named(three, house, encoder) -> None:
    events = decided(three, house, encoder, always=0.9)
    assert [one.voice for one in events] == ["rms", None, "slt"]
    told = [one.to_json() for one in events]
    assert [one["voice"] for one in told] == ["rms", None, "slt"]
    assert all(0 < one["voice_score"] <= 1 and one["latency_ms"]["voice"] > 0 for one in told)
    assert [one.decision for one in events] == ["accepted"] * 3


def test_clients_are_told_of_the_fields(three, house, encoder) -> None:
    schema = event_schemas()["Utterance"]
    for given in ({}, {"house": house, "encoder": encoder}):
        for one in decided(three, **given, always=0.9):
            jsonschema.validate(json.loads(json.dumps(one.to_json())), schema)
    rejected = {"household_only": True, "always": 0.9}
    (unknown,) = (one for one in decided(three, house, encoder, **rejected) if one.reason)
    jsonschema.validate(json.loads(json.dumps(unknown.to_json())), schema)


def test_nothing_else_changes_and_without_the_setting_nothing_at_all(three, house, encoder) -> None:
    without = decided(three, always=0.9)
    with_voices = decided(three, house, encoder, always=0.9)
    assert untimed(without) == [
        replace(one, voice=None, voice_score=None) for one in untimed(with_voices)
    ]
    for one in without:
        assert "voice" not in one.to_json() and "voice_score" not in one.to_json()
        assert list(one.latency_ms) == ["endpoint_to_decision", "asr", "turbo"]


def test_nobody_listens_to_the_voice_of_rejected_speech(three, house, encoder) -> None:
    listening = Listening(encoder)
    for one in decided(three, house, listening, household_only=True, always=0.1):
        assert (one.decision, one.reason) == ("rejected", "not_directed")
        assert not {"voice", "voice_score"} & one.to_json().keys()
        assert "voice" not in one.latency_ms
    assert listening.heard == 0


def test_household_only_rejects_an_unknown_voice_and_says_why(three, house, encoder) -> None:
    without = decided(three, always=0.9)
    first, second, third = decided(three, house, encoder, household_only=True, always=0.9)
    assert [first.voice, third.voice] == ["rms", "slt"]
    assert (second.decision, second.reason, second.text) == ("rejected", "unknown_voice", None)
    assert second.directed_probability == without[1].directed_probability
    # Not by what it was accepted before: that could be a word, its name.
    assert second.evidence == "voice"
    assert not {"voice", "voice_score"} & second.to_json().keys()


def test_an_unknown_voice_opens_no_conversation_and_is_no_turn_before(
    spoken, house, encoder
) -> None:
    pipeline = make_pipeline(ScriptedRecognizer(), LoudnessDetector(always=0.9), turn_before_s=15)
    pipeline.decider.household = Household(KnownVoices(house, encoder), only=True)
    pause = np.zeros(20_000, np.int16)
    feed(pipeline, np.concatenate([spoken["awb"][0], pause, spoken["rms"][0], pause]), [1600])
    assert [one.before for one in pipeline.decider.detector.heard] == ["", ""]


@pytest.mark.slow
def test_no_text_is_shown_of_a_voice_that_may_be_rejected(house) -> None:
    """Until its end nobody knows whose it is."""
    models = Models.load(Settings(asr="none", voices=house))
    assert models.voices is not None and models.stream().decider.household.voices is models.voices
    for household_only, show_rejected, shown in (
        (False, False, True),
        (True, False, False),
        (True, True, True),
    ):
        settings = replace(
            models.settings, household_only=household_only, show_rejected=show_rejected
        )
        made = replace(models, settings=settings).stream()
        assert made.partials is shown
        assert made.decider.household.only is household_only


def test_a_file_of_who_is_known_is_needed() -> None:
    with pytest.raises(InputError, match="`household_only` was given without `voices`"):
        Settings(household_only=True)
    # Put together, who is known would vouch for whoever spoke before.
    with pytest.raises(InputError, match="`household_only` and `revise` exclude each other"):
        Settings(household_only=True, voices="voices.json", revise=True)
    assert Settings(voices="voices.json").resolved().voices == Path("voices.json").resolve()


def test_a_person_reads_whose_it_was() -> None:
    known = utterance(voice="Anna", voice_score=0.9)
    assert said(known) == "turn on the lights (Anna)"
    assert said(replace(known, degraded=("asr_late",), text="")) == "(text too late; Anna)"
    assert said(replace(known, text="")) == "(no words recognized; Anna)"
    unknown = utterance(None, decision="rejected", reason="unknown_voice")
    assert said(unknown) == "(an unknown voice)"
