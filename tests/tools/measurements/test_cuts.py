"""Cuts against waiting: the rules as the segmenter has them, and what is counted of the pauses."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("matplotlib", reason="needs the eval extra")

import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.turbo import Turbo
from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_corpus import write_start
from tests.support.tiny_network import TINY
from tests.support.tiny_package import write_package
from tools.export.graph_weights import read_weights
from tools.measurements.end_of_turn import cuts, cuts_report
from tools.measurements.end_of_turn.choice import Limits, choices, ranked
from tools.measurements.end_of_turn.counts import outcomes
from tools.measurements.end_of_turn.family import family, rule
from tools.measurements.end_of_turn.material import MATERIAL, Collection
from tools.measurements.end_of_turn.patient import pauses_of
from tools.measurements.end_of_turn.pauses import Pauses, joined, load_pauses
from tools.measurements.end_of_turn.streams import build_streams
from tools.measurements.end_of_turn.unmet import open_heads, unmet_odds
from tools.measurements.end_of_turn.waits import fixed, judged, log_odds
from tools.measurements.vad.scenes import read_manifest
from tools.measurements.vad.scores import listen
from training.fitting.checkpoint import load_model, write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError
from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import PauseScore, Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

PRESENT = SegmenterConfig(finished_threshold=0.7)


def pauses(*rows, condition="clean", windows=None):
    """Pauses of (clip, last, silence, voiced, lag, log-odds)."""
    clip, last, silence, voiced, lag, odds = (np.array(one) for one in zip(*rows, strict=True))
    return Pauses(
        condition=np.full(len(rows), condition),
        clip=clip,
        last=last,
        silence_ms=silence.astype(float),
        voiced_ms=voiced.astype(float),
        lag_ms=lag.astype(float),
        log_odds=odds.astype(float),
        public=np.full(len(rows), np.nan),
        windows=np.zeros((len(rows), 8), np.float16) if windows is None else windows,
    )


def collection(name, **other):
    return replace(Collection(name, name, True, "a"), **other)


@given(
    probability=st.floats(0.0, 1.0),
    voiced_ms=st.integers(0, 1000),
    threshold=st.sampled_from((0.5, 0.7, 0.9)),
    waits=st.lists(st.integers(160, 1500), min_size=3, max_size=3).map(sorted),
    slope=st.integers(0, 3000),
)
def test_a_rule_waits_as_the_segmenter_does(probability, voiced_ms, threshold, waits, slope):
    config = SegmenterConfig(
        finished_threshold=threshold,
        finished_silence_ms=waits[0],
        likely_silence_ms=waits[1],
        unfinished_silence_ms=waits[2],
        doubt_silence_ms=slope,
    )
    needed = EndSilence(config).required_samples(voiced_ms, probability)
    one = pauses((0, True, math.inf, voiced_ms, 0, log_odds(probability)))
    # The segmenter looks at the end of each frame of 512 samples.
    assert judged(config, one, one.log_odds)[0] * 16 == -(-needed // 512) * 512


def test_the_present_rule_at_the_probabilities_that_the_page_tells():
    odds = log_odds(np.array([0.86, 0.7, 0.29, 0.9]))
    some = pauses(*((i, True, math.inf, 100 if i == 3 else 900, 0, 0.0) for i in range(4)))
    assert judged(PRESENT, some, odds).tolist() == [416, 544, 800, 512]
    assert fixed(some, 600).tolist() == [608] * 4


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Recordings of two utterances each, 0.7 s apart: commands, and talk."""
    folder = tmp_path_factory.mktemp("clips")
    parts = json.loads((ROOT / "examples" / "kitchen.json").read_text())["segments"]
    wave, rate = soundfile.read(KITCHEN)
    rows = []
    for index in range(3):
        said = [
            wave[int((part["start_s"] - 0.1) * rate) : int((part["end_s"] + 0.1) * rate)]
            for part in parts[index : index + 2]
        ]
        quiet = np.random.default_rng(index).normal(0.0, 1e-4, int(0.5 * rate))
        soundfile.write(
            folder / f"{index}.wav", np.concatenate([quiet, said[0], quiet, said[1], quiet]), rate
        )
        rows += [
            {"audio_filepath": f"{index}.wav", "label": "directed", "set": "orders"},
            {"audio_filepath": f"{index}.wav", "label": "not_directed", "set": "talk"},
        ]
    soundfile.write(folder / "noise.wav", np.random.default_rng(0).normal(0, 0.05, 4 * rate), rate)
    (folder / "speech.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    noise = {"audio_filepath": "noise.wav", "kind": "noise", "duration": 4.0}
    (folder / "noise.jsonl").write_text(json.dumps(noise) + "\n")
    return folder


class Says:
    """Says the same of every pause."""

    def __init__(self, probability):
        self.probability = probability

    def score_pause(self, pcm):
        return PauseScore(finished_probability=self.probability)

    def warm_up(self):
        """Nothing to warm."""


def heard_by(vad, stream, config, judge=None):
    """Of each clip: whether the segmenter cuts it, and the wait at its end in ms."""
    vad.reset()
    segmenter = Segmenter(vad, config, judge)
    said = segmenter.process(stream.scene.pcm) + segmenter.flush()
    ends = {}
    for one in (one for one in said if isinstance(one, Segment)):
        span = next(i for i, s in enumerate(stream.scene.spans) if one.start_sample < s.stop)
        ends.setdefault(span, []).append(one.endpoint_sample - stream.scene.spans[span].stop)
    cut = [len(ends[span]) > 1 for span in range(3)]
    return cut, [ends[span][-1] / 16 for span in range(3)]


def test_what_is_counted_is_what_the_segmenter_does(clips):
    """The pauses of the patient one tell where the real one cuts, and when it ends."""
    rows, noises = (read_manifest(clips / f"{name}.jsonl") for name in ("speech", "noise"))
    stream = build_streams(rows, noises, ("orders",), 3, 0)[0]
    heard, _ = listen(load_vad(DEFAULT_VAD), stream.scene)
    found = list(pauses_of(stream.scene, heard))
    spans = [one.span for one in found]
    assert sorted(set(spans)) == [0, 1, 2] and len(spans) >= 6
    rows = [
        (one.span, spans[i + 1 :][:1] != [one.span], one.silence_ms, one.voiced_ms, one.lag_ms, 0.0)
        for i, one in enumerate(found)
    ]
    some = pauses(*rows)
    for probability in (0.9, 0.7, 0.3):
        waits = judged(PRESENT, some, np.full(len(rows), float(log_odds(probability))))
        (_, _, cut, wait), _ = outcomes([(collection("orders"), some, waits)]).found
        real = heard_by(heard, stream, PRESENT, Says(probability))
        assert (cut.tolist(), wait.tolist()) == real
    # The last frame of a pause in which a rule still ends the utterance, and the one after it.
    inner = some.silence_ms[~some.last]
    for silence_ms in {*inner, *(inner + 32)}:
        (_, _, cut, wait), _ = outcomes(
            [(collection("orders"), some, fixed(some, silence_ms))]
        ).found
        config = SegmenterConfig(
            end_silence_ms=silence_ms,
            end_silence_min_ms=silence_ms,
            end_silence_max_ms=silence_ms,
            short_extra_ms=0,
            bridge_gap_ms=0,
        )
        assert (cut.tolist(), wait.tolist()) == heard_by(heard, stream, config), silence_ms
    assert max(inner) < 1000


SOME = pauses(
    (0, False, 450, 900, 20, 3.0),  # sounds finished: cut
    (0, False, math.inf, 900, 20, -3.0),  # cut again, which counts once
    (0, True, math.inf, 900, 40, 3.0),
    (1, False, 450, 900, 20, -3.0),  # waited out
    (1, True, math.inf, 900, 60, -3.0),
    (2, True, math.inf, 900, 10, 3.0),
)


def test_cuts_and_waits_of_pauses_made_by_hand():
    orders, book = collection("orders"), collection("book", blind=True)
    noisy = replace(SOME, condition=np.full(len(SOME), "real 10 dB"))
    waits = judged(PRESENT, SOME, SOME.log_odds)
    assert waits.tolist() == [416, 800, 416, 800, 800, 416]
    found = outcomes(
        [
            (orders, joined([SOME, replace(noisy, clip=SOME.clip + 3)]), np.tile(waits, 2)),
            (book, SOME, waits),
        ]
    )
    quiet = found.counts(lambda one: one is orders, "clean")
    assert (quiet.clips, quiet.cut) == (3, 1)
    assert (quiet.p50_ms, quiet.p95_ms) == (456, np.percentile([456, 860, 426], 95))
    low, high = quiet.json()["cut_interval"]
    assert (round(low, 3), round(high, 3)) == (0.061, 0.792)  # Wilson
    assert found.counts(lambda one: one is orders, "real 10 dB") == quiet


def test_ends_of_blind_collections_are_in_no_wait():
    book, orders = collection("book", blind=True), collection("orders")
    late = replace(SOME, lag_ms=SOME.lag_ms + 5000)
    found = outcomes([(book, late, fixed(late, 600)), (orders, SOME, fixed(SOME, 600))])
    both = found.counts(lambda one: True, "clean")
    assert both.clips == 6 and both.p95_ms < 700
    alone = found.counts(lambda one: one.blind, "clean")
    assert (alone.cut, alone.p50_ms, alone.p95_ms) == (1, None, None)


def write_run(folder, network, seed, met):
    """Write a run of `network` with a head drawn by `seed`, fitted to the collections `met`."""
    torch.manual_seed(seed)
    headed = Turbo(replace(network.config, end_of_turn=4))
    weights = {name: value for name, value in network.state_dict().items() if "end_of" not in name}
    headed.load_state_dict(weights, strict=False)
    write_start(folder, headed)
    write_json(
        folder / "metrics.json", {"end_of_turn": {"data": [{"collection": name} for name in met]}}
    )
    return folder


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Turbo(TINY).eval()


def test_each_collection_is_judged_by_its_own_head(network, tmp_path):
    orders, calls = collection("orders", like=("wishes",)), collection("calls")
    runs = {
        "orders": write_run(tmp_path / "a", network, 1, ("calls", "book")),
        "calls": write_run(tmp_path / "b", network, 2, ("orders", "wishes", "book")),
    }
    heads = open_heads(runs, (orders, calls), network)
    windows = np.random.default_rng(0).normal(0, 1, (len(SOME), 8 * network.audio_front.width))
    some = replace(SOME, windows=windows.astype(np.float16))
    odds = unmet_odds([(orders, some), (calls, some)], heads)
    for name, said in zip(("orders", "calls"), odds, strict=True):
        head = load_model(runs[name])[0].end_of_turn
        told = head.of_windows(torch.from_numpy(some.windows.astype(np.float32)))
        assert np.allclose(said, told.detach().numpy(), atol=1e-6)
    assert np.abs(odds[0] - odds[1]).max() > 0.01


@pytest.mark.parametrize("met", ("orders", "wishes"))
def test_a_head_that_has_met_what_it_judges_or_the_like_is_refused(network, tmp_path, met):
    run = write_run(tmp_path / "run", network, 1, ("calls", met))
    with pytest.raises(InputError, match=rf"has met {met}.*without orders, wishes"):
        open_heads({"orders": run}, (collection("orders", like=("wishes",)),), network)


def test_runs_that_can_judge_nothing_are_refused(network, tmp_path):
    orders = (collection("orders"),)
    with pytest.raises(InputError, match="no run has been held out from orders"):
        open_heads({}, orders, network)
    with pytest.raises(InputError, match="holds no training run"):
        open_heads({"orders": tmp_path}, orders, network)
    headless = write_start(tmp_path / "headless", network)
    with pytest.raises(InputError, match="has no end-of-turn head"):
        open_heads({"orders": headless}, orders, network)
    torch.manual_seed(5)
    other = write_run(tmp_path / "other", Turbo(TINY), 1, ("calls",))
    with pytest.raises(InputError, match="the front has other values"):
        open_heads({"orders": other}, orders, network)


def test_a_rule_is_chosen_on_its_half_within_the_limits():
    """A fixed 600 ms cuts ten of twelve clips, and a floor of 320 ms one more of half a."""

    def heard(silences):
        rows = [
            (clip, last, math.inf if last else silence, 900, 0, 3.0)
            for clip, silence in enumerate(silences)
            for last in (False, True)
        ]
        quiet = pauses(*rows)
        noisy = replace(quiet, clip=quiet.clip + 12, condition=np.full(24, "real 10 dB"))
        return joined([quiet, noisy])

    told = [
        (collection("orders"), heard([700] * 10 + [450, 200])),
        (collection("calls", half="b"), heard([700] * 10 + [200, 200])),
    ]
    rules = [rule(floor, 1000, 500, 1.5) for floor in (640, 480, 320)]
    tried = [
        (config, outcomes((c, p, judged(config, p, p.log_odds)) for c, p in told))
        for config in rules
    ]
    silent = outcomes((one, some, fixed(some, 600)) for one, some in told)
    limits = Limits(silent)
    assert ranked(tried, limits, "a") == [rules[1], rules[0]]
    assert ranked(tried, limits, "b") == rules[::-1]
    assert not limits.keep(tried[2][1], "a") and limits.bear(tried[2][1], "a")
    by_a, by_b = choices(tried, limits)
    assert (by_a["rule"]["floor_ms"], by_a["borne_by_the_other"]) == (480, True)
    assert (by_b["rule"]["floor_ms"], by_b["borne_by_the_other"]) == (320, True)
    assert by_a["slowness_ms"] == pytest.approx(by_b["slowness_ms"] + 2 * 160)


def test_the_family_holds_what_was_tried():
    before = cuts_report.BEFORE
    tried = family(before)
    assert len(set(tried)) == 1153 and tried[-1] is before
    odds = float(log_odds(rule(320, 800, 500, 1.5).finished_threshold))
    assert odds == pytest.approx(1.5)


def test_likeness_is_mutual():
    names = {one.name: one for one in MATERIAL}
    likes = {(one.name, like) for one in MATERIAL for like in one.like if like in names}
    assert {(like, name) for name, like in likes} == likes
    assert ("coffee_commands", "assistant_commands") in likes
    assert "word_mentions" in names["alert_words"].like
    assert {one.name for one in MATERIAL if one.blind} == {"audiobook", "conversation"}


def test_the_command_goes_on_where_it_was(clips, tmp_path, monkeypatch, capsys):
    material = (collection("orders"), collection("talk", directed=False, half="b"))
    monkeypatch.setattr(cuts, "MATERIAL", material)
    monkeypatch.setattr(cuts_report, "family", lambda before: [rule(320, 800, 500, 1.5), before])
    shipped = read_weights(ModelPackage.load().path(GRAPH_NAME))
    run = write_run(tmp_path / "run", shipped, 1, ("calls",))
    arguments = ["--noise", str(clips / "noise.jsonl"), "--out", str(tmp_path / "out")]
    arguments += ["--held-out", f"orders,talk={run}"]
    told = ["--speech", str(clips / "speech.jsonl"), *arguments]
    assert run_command(cuts.main, told) == 0
    table = (tmp_path / "out" / "cuts.md").read_text("utf-8")
    assert "| orders cut, of 3 | 3 |" in table and "| talk cut, of 3 | 3 |" in table
    assert "wait p50 / p95, orders" in table and "| talk | 3, 3 |" in table
    assert (tmp_path / "out" / "cuts.png").stat().st_size > 1000
    found = json.loads((tmp_path / "out" / "cuts.json").read_text("utf-8"))
    assert found["rank"]["orders"]["clean"]["ends"] == 3

    kept = load_pauses(tmp_path / "out" / "pauses" / "orders.npz")
    assert kept.windows.shape == (len(kept), 3072)
    monkeypatch.setattr(cuts, "Hearing", None)  # nothing is heard again
    assert run_command(cuts.main, told) == 0
    assert (tmp_path / "out" / "cuts.md").read_text("utf-8") == table

    capsys.readouterr()
    headless = write_package(tmp_path / "package")
    assert run_command(cuts.main, [*told, "--model", str(headless)]) != 0
    assert "cannot say whether a speaker has finished" in capsys.readouterr().err
    other = clips / "other.jsonl"
    other.write_text((clips / "speech.jsonl").read_text() + "\n")
    assert run_command(cuts.main, ["--speech", str(other), *arguments]) != 0
    assert "was begun with another speech" in capsys.readouterr().err


def test_a_damaged_file_of_pauses_is_refused(tmp_path):
    (tmp_path / "orders.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(InputError, match=r"orders\.npz holds no pauses"):
        load_pauses(tmp_path / "orders.npz")
