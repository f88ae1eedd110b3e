import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from training.crossval.execute import Job, shown
from training.fitting.display import RunDisplay, summary
from turbo_stream.benchmark.report import show


def test_a_look_is_a_line_of_one_table(capsys) -> None:
    with RunDisplay() as display:
        look = {"loss": 0.71234, "gradient_norm": 1.2, "audio": 0.41, "fused": 0.1234, "dev": 0.1}
        display.look({"step": 10, **look}, best=True)
        display.look({"step": 200, **look, "fused": 0.2}, best=False)
    said = capsys.readouterr()
    lines = [line.split() for line in said.err.splitlines() if line.strip()]
    assert ["step", "loss", "fused", "audio"] in lines and said.err.count("step") == 1
    assert ["10", "0.712", "12.3", "41.0", "*"] in lines
    assert ["200", "0.712", "20.0", "41.0"] in lines
    assert not said.out and "{" not in said.err


def test_of_many_runs_none_shows_its_looks(capsys) -> None:
    with RunDisplay(quiet=True) as display:
        display.look({"step": 1, "loss": 1.0, "dev": 0.5}, best=True)
    assert capsys.readouterr() == ("", "")


def test_runs_side_by_side_are_lines_of_one_table(capsys) -> None:
    result = {"dev": 0.0521, "best_step": 20, "steps": 30, "seconds": 12.34}
    done = [(Job(key, None, None, test=False), result) for key in ("ce, fold 0", ("turbo", 1, 2))]
    assert list(shown(iter(done), 2, "runs")) == done
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert ["5.2", "20", "30", "12.3", "ce,", "fold", "0"] in lines
    assert ["5.2", "20", "30", "12.3", "turbo,", "1,", "2"] in lines


@pytest.mark.parametrize("directed", [True, False])
def test_the_end_tells_figures_and_no_dictionary(directed, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    figures = {"n": 12, "balanced_accuracy": 0.9}
    metrics = {"rows": 24, "steps": 30, "best_step": 20, "seconds": 61.2, "seconds_of_steps": 40.0}
    if directed:
        figures |= {"eer": 0.051, "eer_ci95": (0.02, 0.08)}
        point = {"threshold": 0.5, "false_accept": 0.01, "false_reject": 0.1}
        metrics["operating_points"] = {"balanced": point}
    show("RUNS/one", summary({**metrics, "development": {"fused": figures}}), as_json=False)
    said = capsys.readouterr().out
    assert "{" not in said and "30, the best at 20" in said and "90.0%" in said
    assert ("5.1%" in said and "2.0% to 8.0%" in said and "0.5000" in said) == directed
