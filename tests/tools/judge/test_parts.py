import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_judgement import RATE, burst, recording, write_collections
from tests.support.tiny_package import write_package
from tools.judge.bars import bars
from tools.judge.candidate import CHOSE, LEARNED, UNMET, Panel, counted, load_candidate
from tools.judge.conditions import draw_evenly, kind_of
from tools.judge.figures import LIMITED, balanced_calibration_error, figures
from tools.judge.names import holds_name, other_name, separations
from tools.judge.pairs import of_one_length
from tools.judge.recording import read_recordings
from tools.judge.scoring import Bench, Ledger, digest
from tools.judge.sounds import Stage, far_talker, part_of
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import binary_metrics
from turbo_stream.evaluation.figures.content_free import SPEECH_S


def trained_on(*collections: str, chosen_by: tuple[str, ...] = ()) -> dict:
    data = [{"collection": one, "kind": "recorded"} for one in collections]
    return {"training": {"data": data, "chosen_by": list(chosen_by)}}


def test_recordings_have_what_was_heard_in_them(tmp_path: Path) -> None:
    manifest = write_collections(tmp_path, each=1)
    heard = {
        "audio_filepath": "calls0.wav",
        "text_used": "hey fry day",
        "asr": {"backend": "whisper", "avg_logprob": -0.5},
    }
    (tmp_path / "heard.jsonl").write_text(json.dumps(heard) + "\n")
    first, *others = read_recordings(manifest, [tmp_path / "heard.jsonl"])
    assert first.transcript.text == "hey fry day"
    assert first.transcript.confidence.avg_logprob == -0.5
    assert first.words == ("hey", "friday")  # the true ones
    assert all(one.heard is None and one.transcript.text == one.text for one in others)
    assert [one.directed for one in (first, *others)] == [True, True, False, False]


def test_a_manifest_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav"}\n')
    with pytest.raises(InputError, match="no labelled rows"):
        read_recordings(tmp_path / "m.jsonl")


def test_a_ledger_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger.add(digest("a"), 0.25)
        ledger.add(digest("b"), ["words", None])
    with path.open("ab") as file:
        file.write(b'["half')
    with Ledger(path) as ledger:
        assert ledger.missing([digest("a"), digest("c")]) == {digest("c")}
        assert ledger[digest("b")] == ["words", None]
        ledger.add(digest("c"), 1.0)
    with Ledger(path) as ledger:
        assert ledger[digest("c")] == 1.0


def test_a_ledger_leaves_out_what_is_damaged_and_lets_one_run_in(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    good = f'["{digest("a")}", 0.25]\n'.encode()
    path.write_bytes(good + b'["half\n7\n{}\n[1, 2]\n[]\n' + good.replace(b"0.25", b"0.5"))
    with Ledger(path) as ledger:
        assert ledger[digest("a")] == 0.5
        with pytest.raises(InputError, match=r"is in use by process \d+ on .* since "):
            Ledger(path)


def test_who_has_met_a_recording(tmp_path: Path) -> None:
    one = load_candidate(write_package(tmp_path / "p", **trained_on("calls", "words_recut")))
    assert one.knows(recording())
    assert not one.knows(recording(fold="test"))
    assert not one.knows(recording(collection="other"))
    assert one.knows(recording(collection="words_recut", fold="train"))
    assert not one.knows(recording(collection="words_recut", fold="test"))
    # Words cut out of recordings that were trained on are known, whatever their fold.
    assert one.knows(recording(collection="calls_recut", fold="test"))


def test_what_chose_the_weights_is_known_less_than_what_was_learned(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", **trained_on("calls", chosen_by=("orders",)))
    one = load_candidate(package)
    assert one.acquaintance(recording()) == LEARNED
    assert one.acquaintance(recording(fold="dev")) == CHOSE
    assert one.acquaintance(recording(fold="test")) == UNMET
    for fold in (None, "train", "dev", "test"):  # all of a collection chooses, whatever its fold
        assert one.acquaintance(recording(collection="orders", fold=fold)) == CHOSE
        assert one.acquaintance(recording(collection="orders_recut", fold=fold)) == CHOSE
    assert one.knows(recording(collection="orders"))
    assert one.acquaintance(recording(collection="other")) == UNMET
    items = [recording(), recording(collection="orders"), recording(collection="other")]
    assert one.met(items) == {"met": 1, "chose": 1}


def test_words_that_came_cut_out_are_known_as_their_sentences_are(tmp_path: Path) -> None:
    cut = recording(collection="word_mention_cuts", fold="test", directed=False)
    learned = load_candidate(write_package(tmp_path / "l", **trained_on("word_mentions")))
    chosen = load_candidate(
        write_package(tmp_path / "c", **trained_on("orders", chosen_by=("word_mentions",)))
    )
    stranger = load_candidate(write_package(tmp_path / "s", **trained_on("orders")))
    assert [one.acquaintance(cut) for one in (learned, chosen, stranger)] == [LEARNED, CHOSE, UNMET]


def test_where_strangers_are_few_those_that_chose_go_before_those_that_taught(
    tmp_path: Path,
) -> None:
    package = load_candidate(
        write_package(tmp_path / "p", **trained_on("calls", chosen_by=("orders",)))
    )
    unmet = [recording(f"n{i}", collection="new") for i in range(10)]
    chose = [recording(f"o{i}", collection="orders") for i in range(35)]
    taught = [recording(f"c{i}") for i in range(50)]
    asked = Panel((package,)).asked([*unmet, *chose, *taught])
    assert counted(asked) == {"met": 0, "chose": 35} and len(asked) == 45
    asked = Panel((package,)).asked([*unmet, *chose[:20], *taught])
    assert counted(asked) == {"met": 50, "chose": 20}


def test_a_package_that_does_not_say_what_chose_it_is_told_apart(tmp_path: Path) -> None:
    silent = load_candidate(write_package(tmp_path / "p", training={"data": []}))
    assert silent.chosen_by is None
    assert silent.acquaintance(recording()) == UNMET


@pytest.mark.parametrize(
    "summary, said",
    [
        (trained_on("calls"), "was trained on calls"),
        (trained_on("orders", chosen_by=("chat", "calls")), "was chosen by calls, chat"),
    ],
)
def test_a_package_that_knows_what_it_left_out_is_refused(
    tmp_path: Path, summary: dict, said: str
) -> None:
    folder = write_package(tmp_path / "p", **summary)
    with pytest.raises(InputError, match=said):
        load_candidate(folder, left_out=("calls", "chat"))


def test_the_stranger_is_asked(tmp_path: Path) -> None:
    main = load_candidate(write_package(tmp_path / "m", **trained_on("calls", "chat")))
    other = load_candidate(write_package(tmp_path / "o"), left_out=("calls", "chat"))
    panel = Panel((main, other))
    many = [recording(f"{i}", directed=i % 2 == 0) for i in range(100)]
    unknown = [recording("x", collection="new", directed=True)]
    assert panel.for_recordings(many) is other
    assert panel.for_recordings(unknown) is main
    assert {candidate.title for _, candidate in panel.asked(many)} == {other.title}
    # With the main one alone, nobody is a stranger: it is asked all the same, and counts as met.
    assert len(Panel((main,)).asked(many)) == 100
    # Where strangers are enough of a class, those it has met are left out.
    fresh = [recording(f"n{i}", collection="new") for i in range(60)]
    assert len(Panel((main,)).asked([*many[::2], *fresh])) == 60


def test_who_was_not_even_chosen_by_the_recordings_is_asked(tmp_path: Path) -> None:
    """As of six runs: the first that did not learn from a pair may be one that the pair chose."""
    main = load_candidate(write_package(tmp_path / "m", **trained_on("calls", "chat")))
    chosen = load_candidate(
        write_package(tmp_path / "c", **trained_on("orders", chosen_by=("calls", "chat")))
    )
    stranger = load_candidate(write_package(tmp_path / "s", **trained_on("orders")))
    many = [recording(f"{i}", directed=i % 2 == 0) for i in range(100)]
    panel = Panel((main, chosen, stranger))
    assert panel.for_recordings(many) is stranger
    assert {id(candidate) for _, candidate in panel.asked(many)} == {id(stranger)}
    # Without a stranger, one that they chose is better than one that learned from them.
    panel = Panel((main, chosen))
    assert panel.for_recordings(many) is chosen
    asked = panel.asked(many)
    assert {id(candidate) for _, candidate in asked} == {id(chosen)}
    assert counted(asked) == {"met": 0, "chose": 100}


def test_sounds_are_the_same_every_time(tmp_path: Path) -> None:
    write_collections(tmp_path, each=1)
    one = recording("chat0.wav", path=tmp_path / "chat0.wav")
    stage = Stage()
    for sound in ("recorded", "channel", "far", "noise"):
        first = stage.render(one, sound)
        assert first.dtype == np.int16
        assert np.array_equal(first, Stage().render(one, sound))
    assert len(stage.render(one, "none")) == 0
    again = recording("other.wav", path=one.path)
    assert not np.array_equal(stage.render(one, "noise"), stage.render(again, "noise"))
    assert np.array_equal(stage.render(one, "recorded"), stage.render(again, "recorded"))


def test_a_far_talker_is_soft_and_rings() -> None:
    click = np.zeros(RATE, np.float32)
    click[1600] = 1.0
    heard = far_talker(click, np.random.default_rng(3))
    direct = np.square(heard[1590:1610]).sum()
    later = np.square(heard[1664:]).sum()
    assert later > 3 * direct
    speech = burst(0.2, 0)
    soft = far_talker(speech, np.random.default_rng(3))
    assert len(soft) == len(speech)
    assert 20 * np.log10(soft.std()) == pytest.approx(-35.0, abs=0.5)


def test_figures_are_those_of_the_evaluation() -> None:
    rng = np.random.default_rng(0)
    items = [recording(f"{i}", directed=i % 3 == 0, group=f"{i // 4}") for i in range(60)]
    truths = np.array([one.directed for one in items])
    scores = np.clip(rng.random(60) * 0.7 + 0.3 * truths, 0, 1)
    found = figures(items, scores, 0.5)
    wanted = binary_metrics(truths, scores, 0.5)
    assert found["eer"] == wanted["eer"]
    assert found["ece"] == wanted["ece"]
    assert found[LIMITED] == wanted["false_accept_at_false_reject"]["0.05"]
    assert found["false_accept"] == wanted["at_threshold"]["false_accept"]
    assert found["false_reject"] == wanted["at_threshold"]["false_reject"]
    for name, (low, high) in found["ci95"].items():
        assert low <= found[name] + 0.1
        assert found[name] - 0.1 <= high
    mixed = np.where(np.arange(60) < 30, 0.5, 0.9)
    rejected = np.mean((scores < mixed)[truths])
    assert figures(items, scores, mixed)["false_reject"] == pytest.approx(rejected)


def test_one_class_alone_has_no_equal_error_rate() -> None:
    found = figures([recording("a"), recording("b")], np.array([0.2, 0.9]), 0.5)
    assert found["eer"] is None
    assert found["false_accept"] is None
    assert found["false_reject"] == 0.5


def test_calibration_with_classes_weighted_alike() -> None:
    truths = np.array([True] * 90 + [False] * 10)
    scores = np.full(100, 0.5)
    assert balanced_calibration_error(truths, scores) == pytest.approx(0.0)
    assert balanced_calibration_error(truths, np.full(100, 0.9)) == pytest.approx(0.4)
    assert balanced_calibration_error(truths[:50], scores[:50]) is None


def test_every_collection_has_its_share_of_a_draw() -> None:
    asked = [(recording(f"{i}", collection="a" if i < 90 else "b"), None) for i in range(100)]
    asked += [(recording(f"n{i}", directed=False), None) for i in range(5)]
    drawn = [one for one, _ in draw_evenly(asked, 40, seed=0)]
    counts = [sum(one.collection == name and one.directed for one in drawn) for name in "ab"]
    assert counts == [10, 10]
    assert sum(not one.directed for one in drawn) == 5
    assert drawn == [one for one, _ in draw_evenly(asked, 40, seed=0)]


def test_kinds_of_short_utterances() -> None:
    def kind(text: str, name: str | None = None, **more) -> str | None:
        return kind_of(recording(text=text, names=(name,) if name else (), **more))

    assert kind("Hey Friday!", "hey friday") == "the device's name alone"
    assert kind("yes") == "an answer of one word"
    assert kind("stop", nominal=True) == "a command of one word (labelled by name only)"
    assert kind("stop it") is None


def test_names_are_whole_words() -> None:
    assert holds_name(recording(text="i asked friday", names=("friday",)))
    assert not holds_name(recording(text="fridays are fine", names=("friday",)))
    assert not holds_name(recording(text="friday"))
    assert other_name(recording(names=("b",)), ["a", "b"]) == "a"


def test_bars_say_what_was_reached_and_on_what() -> None:
    def found(eer: float) -> dict:
        return {"eer": eer, LIMITED: 0.2}

    pair = {
        "directed": "wake_words",
        "not_directed": "audiobook",
        "met": [],
        "chose": ["audiobook"],
    }
    way = {"fused": found(0.1), "probe": found(0.2)}
    cuts = {"fused": found(0.3), "probe": None, "met": 0, "chose": 0}
    calibration = {"figures": {"ece": 0.07}, "ece_balanced": 0.2, "met": 0, "chose": 0}
    judgement = {
        "pairs": [
            {**pair, "recorded": way, "channel": way, "alike": {"fused": None}},
            {**pair, "directed": "others"},
        ],
        "called_or_mentioned": {"recut_test": cuts},
        "calibration": {"channel": calibration},
    }
    lines = {line["what"]: line for line in bars(judgement)}
    assert len(lines) == 6 + 2 + 1
    first = lines["wake_words × audiobook, one channel: EER"]
    assert first["reached"] is first["known"] is True  # by what chose the package
    assert lines["called or mentioned, recut test: EER"]["known"] is False
    assert (
        lines["wake_words × audiobook, one channel: EER, 15% under the probe"]["reached"] is False
    )
    assert lines["wake_words × audiobook, as recorded: FA@5"]["reached"] is False
    assert lines["called or mentioned, recut test: EER"]["reached"] is False
    assert lines["called or mentioned, recut test: EER, 10% under the probe"]["reached"] is None
    assert lines["calibration error, one channel"]["reached"] is True


def test_scores_of_different_packages_are_not_compared() -> None:
    """Each package tells them apart without an error; pooled, their offsets would hide it."""
    kinds = [("called", given) for given in ("own", "other", "none")] + [
        ("mentioned", given) for given in ("own", "none")
    ]
    offsets = np.repeat([0.0, 0.5], 6)
    levels = {"called": 0.4, "mentioned": 0.3}
    scores = {kind: offsets + levels[kind[0]] for kind in kinds}
    askers = {kind: np.repeat([0, 2], 6) for kind in levels}
    title = "called against mentioned, own name"
    found = separations(scores, askers)[title]
    assert (found["n"], found["packages"], found["eer"]) == (24, 2, 0.0)
    askers["mentioned"] = np.repeat([0, 1], 6)  # nobody was asked about both halves
    found = separations(scores, askers)[title]
    assert (found["n"], found["packages"], found["eer"]) == (12, 1, 0.0)
    askers["mentioned"] = np.repeat([1], 12)
    assert title not in separations(scores, askers)


def test_classes_are_cut_to_the_same_lengths() -> None:
    items = [recording(f"d{i}") for i in range(5)]
    items += [recording(f"n{i}", directed=False) for i in range(9)]
    features = np.zeros((14, 4))
    features[:, SPEECH_S] = [1.0, 1.5, 2.0, 2.5, 3.0, *np.linspace(0.5, 6.5, 9)]
    cut = of_one_length(items, features)
    lengths = [one.keep_s or length for one, length in zip(cut, features[:, SPEECH_S], strict=True)]
    assert np.allclose(np.quantile(lengths[:5], [0, 0.5, 1]), np.quantile(lengths[5:], [0, 0.5, 1]))
    assert all(one <= own for one, own in zip(lengths, features[:, SPEECH_S], strict=True))
    assert [one.keep_s for one in cut[1:5]] == [None] * 4  # what is shorter is left as it is
    assert cut[0].keep_s == 0.5


def test_a_part_is_of_the_speech_alone() -> None:
    wave = np.zeros(2 * RATE, np.int16)
    wave[RATE : RATE + 8000] = 8000
    part = part_of(wave, 0.3, np.random.default_rng(0))
    assert len(part) == 4800
    assert (part[200:-200] == 8000).all()
    assert part[0] == part[-1] == 0
    assert len(part_of(wave, 9.0, np.random.default_rng(0))) < 9000


def test_a_part_has_sounds_of_its_own(tmp_path: Path) -> None:
    write_collections(tmp_path, each=1)
    whole = recording("chat0.wav", path=tmp_path / "chat0.wav")
    part = replace(whole, keep_s=0.1)
    assert len(Stage().render(part, "recorded")) == 1600
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        bench = Bench(Stage(), ledger)
        features = bench.probe_features([whole, part], "recorded", "")
    assert features[0, 0] == pytest.approx(0.5)
    assert features[1, 0] == pytest.approx(0.1)
