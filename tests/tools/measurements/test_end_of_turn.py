"""What ending sooner costs, measured on streams of the shipped scene's utterances."""

import json
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("matplotlib", reason="needs the eval extra")

import soundfile

from tests.support.paths import KITCHEN, ROOT
from tools.measurements.end_of_turn import decided
from tools.measurements.end_of_turn.decided import Counts, Heard
from tools.measurements.end_of_turn.judges import Remembering, TurboJudges
from tools.measurements.end_of_turn.rules import (
    figures,
    judged_rules,
    pause_scores,
    silence_rules,
    tally_of,
)
from tools.measurements.end_of_turn.streams import build_streams
from tools.measurements.end_of_turn.table import draw, markdown
from tools.measurements.vad.scenes import read_manifest
from tools.measurements.vad.scores import listen
from turbo_stream.errors import InputError
from turbo_stream.segmentation.segment import PauseScore, Segment
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad


class Sure:
    """Says the same of every pause."""

    def __init__(self, probability):
        self.probability = probability
        self.asked = 0

    def score_pause(self, pcm):
        self.asked += 1
        return PauseScore(finished_probability=self.probability)

    def warm_up(self):
        """Nothing to warm."""


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    scene = json.loads((ROOT / "examples" / "kitchen.json").read_text())["segments"][:4]
    wave, rate = soundfile.read(KITCHEN)
    rows = []
    for index, part in enumerate(scene):
        stretch = slice(int((part["start_s"] - 0.2) * rate), int((part["end_s"] + 0.2) * rate))
        soundfile.write(folder / f"{index}.wav", wave[stretch], rate)
        rows.append({"audio_filepath": f"{index}.wav", "label": part["label"], "set": "kitchen"})
    noise = np.random.default_rng(0).normal(0.0, 0.05, 4 * rate)
    soundfile.write(folder / "noise.wav", noise, rate)
    (folder / "speech.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    quiet = {"audio_filepath": "noise.wav", "kind": "noise", "duration": 4.0}
    (folder / "noise.jsonl").write_text(json.dumps(quiet) + "\n")
    return folder


@pytest.fixture(scope="module")
def streams(material):
    rows, noises = (read_manifest(material / f"{name}.jsonl") for name in ("speech", "noise"))
    made = build_streams(rows, noises, ("kitchen",), 4, 0)
    return [(stream, listen(load_vad(DEFAULT_VAD), stream.scene)[0]) for stream in made]


def test_streams_know_their_ends(streams):
    assert [stream.scene.condition for stream, _ in streams] == ["clean", "real 10 dB"]
    for stream, _ in streams:
        assert len(stream.scene.spans) >= 3
        for span in stream.scene.spans:
            assert 0 < span.start < span.stop < stream.scene.pcm.size


def test_a_judge_that_is_sure_saves_time(streams):
    stream, heard = streams[0]
    usual = silence_rules()[-1]
    sooner = judged_rules("sure")[0]
    waits = []
    for rule, judge in ((usual, None), (sooner, Remembering(Sure(0.99)))):
        tally = tally_of(rule, stream, heard, judge)
        waits.append(figures([("kitchen", tally)], frozenset())["wait_ms"]["p50"])
    assert waits[0] - waits[1] > 200


def test_a_judge_is_asked_once_for_each_sound(streams):
    stream, heard = streams[0]
    sure = Sure(0.2)
    judge = Remembering(sure)
    first = pause_scores([(stream, heard, judge)], frozenset())
    asked = sure.asked
    assert pause_scores([(stream, heard, judge)], frozenset()) == first
    assert sure.asked == asked >= 3
    assert first["ends"] >= 3


def test_ends_of_blind_collections_do_not_count(streams):
    stream, heard = streams[0]
    tally = tally_of(silence_rules()[0], stream, heard, None)
    found = figures([("kitchen", tally)], frozenset({"kitchen"}))
    assert found["utterances"] == len(stream.scene.spans)
    assert found["wait_ms"]["p50"] is None
    scored = pause_scores([(stream, heard, Remembering(Sure(0.5)))], frozenset({"kitchen"}))
    assert scored["ends"] == 0


def test_report_as_table_and_picture(streams, tmp_path):
    rules = {}
    for rule in silence_rules()[:2]:
        rules[rule.name] = {"family": rule.family, "setting": rule.setting}
        for stream, heard in streams:
            found = figures([("kitchen", tally_of(rule, stream, heard, None))], frozenset())
            rules[rule.name][stream.scene.condition] = {"all": found, "directed": found}
    scored = {"all": {"ends": 3, "pauses": 2, "auc": 0.75, "found_at_15_percent_false": 0.5}}
    pauses = {"turbo": {stream.scene.condition: scored for stream, _ in streams}}
    report = {"collections": {"kitchen": "directed"}, "rules": rules, "pauses": pauses}
    table = markdown(report)
    assert table.count("| fixed 300 |") == 2 and "0.750" in table
    draw(report, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_a_package_that_cannot_say_is_refused(tmp_path):
    from tests.support.tiny_package import write_package

    with pytest.raises(InputError, match="cannot say whether a speaker has finished"):
        TurboJudges(write_package(tmp_path / "package"), {})


def test_a_cut_counts_by_what_becomes_of_the_words():
    def piece(stop, accepted, text):
        segment = Segment(0, 0, stop, stop + 4800, np.zeros(1, np.int16))
        return Heard(segment, accepted, Counter(text.split()))

    whole = Counter(["turn", "on", "the", "kitchen", "light"])
    counts = Counts()
    counts.add([piece(32_000, True, "turn on the kitchen light")], whole, 31_200)
    counts.add([piece(16_000, True, "turn on the"), piece(32_000, False, "light")], whole, 32_000)
    counts.add([], whole, 32_000)
    found = counts.report(hours=0.5)
    assert (found["clips"], found["cut"], found["accepted_clips"]) == (3, 1, 2)
    assert (found["accepts_an_hour"], found["accepted_pieces"]) == (4.0, 1)
    assert (found["words_of_accepted"], found["words_lost"]) == (10, 2)
    assert found["wait_ms"]["p50"] == 325.0


def test_decisions_are_counted_for_every_rule(material, tmp_path):
    arguments = ["--speech", material / "speech.jsonl", "--noise", material / "noise.jsonl"]
    arguments += ["--asr", "none", "--collections", "kitchen", "--clean-only", "--out", tmp_path]
    decided.main(list(map(str, arguments)), standalone_mode=False)
    found = json.loads((tmp_path / "decided.json").read_text())["clean"]["kitchen"]
    assert list(found) == ["patient", "fixed 600", "turbo"]
    assert len({rule["clips"] for rule in found.values()}) == 1
    patient, fixed, turbo = (rule["wait_ms"]["p50"] for rule in found.values())
    assert patient > fixed > turbo
    assert all(rule["accepts"] >= rule["accepted_clips"] for rule in found.values())
