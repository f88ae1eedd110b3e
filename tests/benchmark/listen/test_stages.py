"""The clock of the stages: time inside another stage is not counted twice."""

from time import process_time

import pytest

from turbo_stream.benchmark.listen._stages import StageClock


def burn(seconds: float) -> float:
    """Keep the processor busy; return for how long."""
    started = process_time()
    while process_time() - started < seconds:
        pass
    return process_time() - started


class Judge:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def judge(self, number: int) -> int:
        burn(0.02)
        self.heard.append(number)
        return number + 1

    def fail(self) -> None:
        burn(0.005)
        raise ValueError("broken")


def test_the_inner_stage_has_its_own_time() -> None:
    clock = StageClock()
    judge = Judge()
    watched = clock.watch(judge, "pause_scorer", ("judge", "not_there"))

    def segment() -> int:
        burn(0.01)
        return watched.judge(3)

    started = process_time()
    assert clock.timed("segmentation", segment)() == 4
    whole = process_time() - started
    assert judge.heard == [3], "what is timed shares everything with what it stands for"
    spent = clock.spent_s
    assert spent["pause_scorer"] >= 0.02 and spent["segmentation"] >= 0.01
    assert sum(spent.values()) == pytest.approx(whole, abs=0.002)
    assert clock.calls == {"segmentation": 1, "pause_scorer": 1, "asr": 0, "turbo": 0}
    assert "judge" not in vars(judge), "the part itself is left as it was"


def test_time_is_booked_when_a_stage_fails() -> None:
    clock = StageClock()
    watched = clock.watch(Judge(), "asr", ("fail",))
    with pytest.raises(ValueError, match="broken"):
        watched.fail()
    burn(0.005)
    clock.timed("turbo", lambda: None)()
    assert 0.005 <= clock.spent_s["asr"] < 0.01
