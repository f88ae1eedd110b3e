import json

import pytest

from tests.support.made_rows import RUN, many_rows, row
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import BinaryItems, read_run, speaker_groups
from turbo_stream.evaluation.figures._summary import summarize
from turbo_stream.evaluation.figures.latency import latency_metrics, percentiles, real_time_factor

pytest.importorskip("sklearn")

CONTRACT = {
    "n",
    "n_directed",
    "accuracy",
    "balanced_accuracy",
    "auc",
    "eer",
    "eer_ci95",
    "false_accept_at_false_reject",
    "false_reject_at_false_accept",
    "at_threshold",
    "ece",
    "per_source",
    "latency_ms",
    "real_time_factor",
    "failed",
    "run",
}


def test_has_every_key_of_the_contract_and_is_json():
    found = summarize(many_rows(50), RUN)
    assert found.keys() >= CONTRACT
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["false_accept_at_false_reject"]) == {"0.01", "0.05", "0.10"}
    assert set(found["false_reject_at_false_accept"]) == {"0.01", "0.05", "0.10"}
    assert set(found["at_threshold"]) == {"threshold", "false_accept", "false_reject"}
    assert set(found["latency_ms"]) == {"asr", "turbo"}
    assert found["run"] == RUN
    low, high = found["eer_ci95"]
    assert low <= found["eer"] <= high
    for name, ends in found["intervals"].items():
        assert ends is None or ends[0] <= ends[1], name


def test_no_rows_at_all():
    found = summarize([], RUN)
    assert found.keys() >= CONTRACT
    json.dumps(found, allow_nan=False)
    assert (found["n"], found["n_directed"]) == (0, 0)
    for key in ("accuracy", "auc", "eer", "eer_ci95", "ece", "real_time_factor"):
        assert found[key] is None
    assert found["per_source"] == {}
    assert found["latency_ms"]["asr"] == {"p50": None, "p95": None}


@pytest.mark.parametrize("label", ["directed", "not_directed"])
def test_one_class(label):
    found = summarize([row(0.3, label, speaker=f"s{i}") for i in range(5)], RUN)
    json.dumps(found, allow_nan=False)
    assert found["eer"] is None
    assert found["eer_ci95"] is None
    assert found["accuracy"] == (label == "not_directed")
    assert found["intervals"]["accuracy"] == [found["accuracy"]] * 2


def test_one_speaker_has_no_interval():
    rows = [row(i / 10, "directed" if i % 2 else "not_directed", speaker="me") for i in range(10)]
    found = summarize(rows, RUN)
    assert found["eer"] is not None
    assert found["eer_ci95"] is None


def test_each_source_has_the_figures_of_its_rows_alone():
    rows = many_rows(90)
    found = summarize(rows, RUN)["per_source"]
    assert list(found) == ["car", "kitchen"]
    alone = summarize([one for one in rows if one["source"] == "car"], RUN)
    assert found["car"] == {key: alone[key] for key in found["car"]}


def test_what_failed_is_listed_and_counted():
    rows = [
        row(0.9, "directed"),
        {"audio_filepath": "gone.wav", "label": "directed", "error": "is not there"},
        {"audio_filepath": "odd.wav", "label": "directed"},
    ]
    found = summarize(rows, RUN, failed=[{"audio_filepath": "early.wav", "error": "no rights"}])
    assert found["n"] == 1
    assert [item["audio_filepath"] for item in found["failed"]] == [
        "early.wav",
        "gone.wav",
        "odd.wav",
    ]
    assert found["failed"][1]["error"] == "is not there"
    assert found["n_failed"] == 3


def test_items_without_a_label_are_counted_apart():
    rows = [row(0.9, "directed"), row(0.8, None), {**row(0.7, "x"), "label": ""}]
    found = summarize(rows, RUN)
    assert (found["n"], found["n_unlabelled"], found["n_failed"]) == (1, 2, 0)


def test_conditions_have_a_line_each():
    rows = {"clean": many_rows(40), "noise=5": many_rows(40, seed=3)}
    lines = summarize(rows["clean"], RUN, conditions=rows)["conditions"]
    assert [line["condition"] for line in lines] == ["clean", "noise=5"]
    assert lines[1]["eer"] == summarize(rows["noise=5"], RUN)["eer"]


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), "0.5", True])
def test_a_probability_that_is_none_is_refused(score):
    with pytest.raises(InputError, match=r"a\.wav"):
        BinaryItems.from_rows([{**row(0.5, "directed"), "directed_probability": score}])


def test_groups_are_speakers_or_single_rows():
    speakers = ["a", None, "b", "a", "", 7, "7"]
    rows = [row(0.5, "directed", speaker=speaker) for speaker in speakers]
    assert speaker_groups(rows).tolist() == [0, 1, 2, 0, 3, 4, 4]
    assert speaker_groups([row(0.5, "directed")] * 2).tolist() == [0, 1]


def test_percentiles_interpolate():
    assert percentiles([1, 2, 3, 4]) == {"p50": 2.5, "p95": pytest.approx(3.85)}
    assert percentiles([]) == {"p50": None, "p95": None}


def test_latency_leaves_out_what_was_not_measured():
    rows = [
        row(0.5, "directed", latency_ms={"asr": 10.0, "turbo": 4.0}),
        row(0.5, "directed", latency_ms={"asr": None, "turbo": 6.0}),
        row(0.5, "directed"),
        row(0.5, "directed", latency_ms={"turbo": 99.0}, error="broken"),
    ]
    assert latency_metrics(rows) == {
        "asr": {"p50": 10.0, "p95": 10.0},
        "turbo": {"p50": 5.0, "p95": pytest.approx(5.9)},
    }


def test_real_time_factor_is_work_over_sound():
    parts = row(0.5, "directed", duration=2.0, latency_ms={"asr": 30.0, "turbo": 10.0})
    whole = row(0.5, "directed", audio_s=6.0, latency_ms={"total": 120.0, "asr": 30.0})
    assert real_time_factor([parts]) == pytest.approx(0.02)
    assert real_time_factor([parts, whole]) == pytest.approx(0.16 / 8)
    assert real_time_factor([row(0.5, "directed")]) is None
    assert real_time_factor([]) is None


def test_a_finished_run_is_read_back(tmp_path):
    rows = many_rows(5)
    (tmp_path / "predictions.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "metrics.json").write_text(json.dumps({"run": RUN}))
    assert read_run(tmp_path) == (rows, {"run": RUN})


@pytest.mark.parametrize(
    ("predictions", "metrics"),
    [(None, "{}"), ("{", "{}"), ("[]", "{}"), ("{}", None), ("{}", "[]"), ("\xff", "{")],
)
def test_a_folder_that_is_no_run_is_refused(tmp_path, predictions, metrics):
    for name, text in (("predictions.jsonl", predictions), ("metrics.json", metrics)):
        if text is not None:
            (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)
