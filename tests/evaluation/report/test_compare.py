import json

import numpy as np
import pytest

from tests.support.browser import needs_browser, open_browser
from tests.support.made_rows import RUN, many_rows, recording, row
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import BinaryItems
from turbo_stream.evaluation.figures._summary import summarize
from turbo_stream.evaluation.figures.binary import binary_metrics
from turbo_stream.evaluation.report.compare import NAMES, compare

pytest.importorskip("sklearn")
pytest.importorskip("jinja2")


def finished(folder, rows, run=RUN):
    """Write `rows` as the folder of a finished run."""
    folder.mkdir(parents=True)
    text = "".join(json.dumps(one) + "\n" for one in rows)
    (folder / "predictions.jsonl").write_text(text, "utf-8")
    (folder / "metrics.json").write_text(json.dumps(summarize(rows, run)), "utf-8")
    return folder


def better(rows, by=1.0):
    """The same items, every score moved to its right side in the logit."""
    moved = []
    for one in rows:
        p = one["directed_probability"]
        logit = np.log(p / (1 - p)) + (by if one["label"] == "directed" else -by)
        moved.append({**one, "directed_probability": float(1 / (1 + np.exp(-logit)))})
    return moved


def test_a_run_against_itself(tmp_path):
    a = finished(tmp_path / "a", many_rows(120))
    result = compare(a, a, tmp_path / "out")
    assert (result["n_common"], result["n_changed"], result["mcnemar_p"]) == (120, 0, None)
    for line in result["differences"].values():
        assert line["difference"] == 0
        assert line["ci95"] == [0, 0]


def test_differences_are_those_of_the_figures(tmp_path):
    rows = many_rows(200)
    a, b = finished(tmp_path / "a", rows), finished(tmp_path / "b", better(rows))
    result = compare(a, b, tmp_path / "out")
    for side in ("a", "b"):
        items = BinaryItems.from_rows(rows if side == "a" else better(rows))
        figures = binary_metrics(items.truths, items.scores, 0.5)
        for name in ("eer", "auc", "accuracy", "balanced_accuracy", "ece"):
            assert result["differences"][name][side] == pytest.approx(figures[name], abs=1e-9)
        for limit in ("0.01", "0.05", "0.10"):
            name = f"false_accept_at_false_reject_{limit}"
            expected = figures["false_accept_at_false_reject"][limit]
            assert result["differences"][name][side] == pytest.approx(expected, abs=1e-9)
    for name, line in result["differences"].items():
        assert name in NAMES
        assert line["difference"] == pytest.approx(line["b"] - line["a"], abs=1e-12)
        assert line["ci95"][0] <= line["difference"] <= line["ci95"][1]
    assert result["differences"]["eer"]["ci95"][1] < 0
    assert result["differences"]["auc"]["ci95"][0] > 0
    assert json.loads((tmp_path / "out" / "compare.json").read_text("utf-8")) == result


def test_pairing_sees_what_separate_intervals_do_not(tmp_path):
    rows = many_rows(300, speakers=8)
    a, b = finished(tmp_path / "a", rows), finished(tmp_path / "b", better(rows, 0.4))
    line = compare(a, b, tmp_path / "out")["differences"]["auc"]
    of_a, of_b = (summarize(r, RUN)["intervals"]["auc"] for r in (rows, better(rows, 0.4)))
    assert of_a[1] > of_b[0]  # the intervals of the runs overlap
    assert line["ci95"][0] > 0  # that of the difference leaves out 0


def test_changed_decisions(tmp_path):
    def rows(*scores):
        labels = ("directed", "directed", "not_directed", "directed")
        return [
            row(score, label, audio_filepath=f"{i}.wav")
            for i, (score, label) in enumerate(zip(scores, labels, strict=True))
        ]

    a = finished(tmp_path / "a", rows(0.4, 0.9, 0.3, 0.8))
    b = finished(tmp_path / "b", rows(0.6, 0.1, 0.45, 0.81), {**RUN, "threshold": 0.42})
    result = compare(a, b, tmp_path / "out")
    found = [(one["audio_filepath"], one["effect"]) for one in result["changed"]]
    assert found == [("1.wav", "broken"), ("0.wav", "fixed"), ("2.wav", "broken")]
    assert (result["n_changed"], result["n_fixed"], result["n_broken"]) == (3, 1, 2)
    assert result["mcnemar_p"] == 1.0
    assert result["changed"][0]["a"]["decision"] == "accepted"
    assert result["changed"][0]["b"] == {
        "decision": "rejected",
        "probability": 0.1,
        "text_used": None,
    }


def test_runs_over_other_items_are_compared_on_the_common_ones_and_say_so(tmp_path):
    rows = many_rows(100)
    relabelled = {**rows[50], "label": "not_directed"}
    if rows[50]["label"] == "not_directed":
        relabelled["label"] = "directed"
    a = finished(tmp_path / "a", rows[:60])
    b = finished(tmp_path / "b", [*rows[40:50], relabelled, *rows[51:100]])
    result = compare(a, b, tmp_path / "out")
    assert result["n_common"] == 19
    assert (result["n_only_a"], result["n_only_b"], result["n_label_differs"]) == (40, 40, 1)
    assert result["a"]["figures"]["n"] == 19
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert "over different items" in page
    assert "19" in page


def test_a_clip_that_stands_twice_is_two_items(tmp_path):
    rows = [row(0.9, "directed"), row(0.2, "directed"), row(0.1, "not_directed", offset=3.0)]
    a = finished(tmp_path / "a", rows)
    assert compare(a, a, tmp_path / "out")["n_common"] == 3


def test_nothing_in_common(tmp_path):
    a = finished(tmp_path / "a", [row(0.9, "directed", audio_filepath="a.wav")])
    b = finished(tmp_path / "b", [row(0.9, "directed", audio_filepath="b.wav")])
    with pytest.raises(InputError, match="in common"):
        compare(a, b, tmp_path / "out")


def test_modes_do_not_mix(tmp_path):
    a = finished(tmp_path / "a", [row(0.9, "directed")])
    stream = [recording([(1, 2, "directed")], [(1, 2, 0.9)])]
    b = finished(tmp_path / "b", stream, {**RUN, "mode": "stream"})
    with pytest.raises(InputError, match="mode"):
        compare(a, b, tmp_path / "out")


def test_streams_are_compared_by_span(tmp_path):
    spans = [(1, 2, "directed"), (4, 6, "not_directed"), (8, 9, "directed")]
    run = {**RUN, "mode": "stream"}
    a = [recording(spans, [(1, 2, 0.9), (4, 6, 0.6), (8, 9, 0.8)])]
    b = [recording(spans, [(1, 1.4, 0.2), (1.5, 2, 0.7), (4, 6, 0.1)])]
    result = compare(
        finished(tmp_path / "a", a, run), finished(tmp_path / "b", b, run), tmp_path / "out"
    )
    assert (result["n_common"], result["n_only_a"]) == (2, 1)
    assert [(one["start_s"], one["effect"]) for one in result["changed"]] == [(4, "fixed")]
    assert result["b"]["stream"]["missed"] == 1


def test_models_of_other_labels(tmp_path):
    def rows(guesses):
        return [
            {
                "audio_filepath": f"{i}.wav",
                "label": label,
                "probabilities": {name: 0.8 if name == guess else 0.1 for name in "abc"},
            }
            for i, (label, guess) in enumerate(zip("abcabc", guesses, strict=True))
        ]

    a = finished(tmp_path / "a", rows("abcaaa"), {**RUN, "threshold": None})
    b = finished(tmp_path / "b", rows("abcabc"), {**RUN, "threshold": None})
    result = compare(a, b, tmp_path / "out")
    assert result["differences"]["wa"]["difference"] == pytest.approx(2 / 6)
    assert result["differences"]["ua"]["difference"] == pytest.approx(1 / 3)
    assert [one["effect"] for one in result["changed"]] == ["fixed", "fixed"]


def test_a_folder_that_is_no_run(tmp_path):
    a = finished(tmp_path / "a", [row(0.9, "directed")])
    with pytest.raises(InputError, match=r"predictions\.jsonl"):
        compare(a, tmp_path / "nothing", tmp_path / "out")


@needs_browser
def test_the_page_renders(tmp_path):
    rows = [
        {**one, "text_used": "<script>document.title='owned'</script>"} for one in many_rows(80)
    ]
    a, b = finished(tmp_path / "a", rows), finished(tmp_path / "b", better(rows))
    result = compare(a, b, tmp_path / "out")
    with open_browser(tmp_path / "profile") as browser:
        browser.open(tmp_path / "out" / "compare.html")
        assert browser.console() == []
        assert browser.run("return document.title") == "Comparison of two evaluations"
        text = browser.run("return document.body.innerText")
    assert f"{result['differences']['eer']['difference']:+.4f}" in text
    assert f"{result['n_changed']} of 80 items are decided differently" in text
