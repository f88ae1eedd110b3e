"""A real local Ray cluster: the same rows as without, also when a worker is killed."""

from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray", reason="needs the extra: pip install 'turbo-listen[scale]'")

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.evaluation.scoring._ray_engine import score_on_ray
from turbo_stream.evaluation.scoring.local_engine import score_locally
from turbo_stream.evaluation.scoring.settings import ScoringSettings

pytestmark = pytest.mark.slow


def untimed(scored) -> dict[int, dict]:
    rows = list(scored)
    assert len({index for index, _ in rows}) == len(rows), "a row came twice"
    return {i: {k: v for k, v in row.items() if k != "latency_ms"} for i, row in rows}


def workers() -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if "ray::_Worker" in " ".join(_command(p))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_lost_worker_loses_no_row(corpus: Path, tiny_package: Path) -> None:
    once = read_manifest(corpus)
    # Enough batches that work is under way on both workers when one of them is killed.
    items = [
        Item(index, item.row, item.path)
        for index, item in enumerate(item for _ in range(40) for item in once)
    ]
    settings = ScoringSettings(model=str(tiny_package), asr="none").resolved()
    expected = untimed(score_locally(items, settings))

    def with_a_kill():
        killed = False
        for scored in score_on_ray(items, settings, workers=2):
            yield scored
            if not killed:
                victim = workers()[0]
                victim.kill()
                victim.wait(10)
                killed = True
        assert killed

    assert untimed(with_a_kill()) == expected


def test_a_cluster_that_does_not_answer_is_said() -> None:
    with pytest.raises(InputError, match=r"`engine` 127\.0\.0\.1:1 does not answer"):
        list(score_on_ray([], ScoringSettings(), address="127.0.0.1:1"))
