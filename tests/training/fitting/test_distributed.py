import os
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from tests.support.eight_rows import eight_rows
from tests.training.fitting.distributed_child import views_model
from training.data.batch import Batch
from training.fitting.distributed import Rank, pick_device, this_rank
from training.objective.config import ObjectiveConfig, select_arm
from training.objective.objective import Targets, Views, objective_terms

EVERYTHING = ObjectiveConfig(in_modal=0.5, cross_modal=0.5, r_drop=1.0, sup_con=0.5)
from tests.support.paths import ROOT
from turbo_stream.errors import InputError

pytestmark = pytest.mark.slow


def columns(batch: Batch) -> list:
    return [getattr(batch, item.name) for item in fields(batch)]


def halves(batch: Batch) -> list[Batch]:
    """A rank's four rows each. The first has neither sound nor text in one row each; the second,
    whose sounds and texts are shorter, has a transcript of the first's, and no text in two rows."""
    token_mask, text_keys = batch.token_mask.clone(), batch.text_keys.clone()
    token_mask[5:7] = 0
    text_keys[4], text_keys[7] = text_keys[3], text_keys[2]
    first, second = replace(batch, token_mask=token_mask, text_keys=text_keys).split(4)
    return [
        first,
        replace(
            second,
            frames=second.frames[:, :8],
            frame_mask=second.frame_mask[:, :8],
            token_ids=second.token_ids[:, :4],
            token_mask=second.token_mask[:, :4],
        ),
    ]


def silent(batch: Batch) -> Batch:
    return replace(batch, token_mask=torch.zeros_like(batch.token_mask))


def in_one_process(case: dict) -> dict[str, torch.Tensor]:
    """Return the gradients of the loss of both ranks' rows together, every graph kept."""
    objective = ObjectiveConfig(**case["objective"])
    model = views_model(objective).train(case["train"])
    steps = len(case["batches"][0])
    parts = [[] for _ in range(steps)]
    for index in range(2):
        torch.manual_seed(Rank(index, 2, torch.device("cpu")).seed(0))
        for step in range(steps):
            whole = Batch(*case["batches"][index][step])
            for part in whole.split(case["chunk"] or 4):
                parts[step].append((model(part), Targets.of(part)))
    for seen in parts:
        *vectors, scales = zip(*(views for views, _ in seen), strict=True)
        views = Views(*(torch.cat(some, dim=1) for some in vectors), scales[0])
        targets = Targets(*map(torch.cat, zip(*(targets for _, targets in seen), strict=True)))
        terms = objective_terms(views, targets, objective)
        (terms["loss"] / steps).backward()
    found = {n: value.grad for n, value in model.named_parameters() if value.grad is not None}
    return {**found, **{f"term {name}": value.detach() for name, value in terms.items()}}


@pytest.fixture(scope="module")
def cases() -> dict[str, dict]:
    batch = eight_rows()
    first, second = halves(batch)
    ranks = [[columns(first)], [columns(second)]]
    base = {"objective": asdict(EVERYTHING), "train": True, "chunk": 0, "batches": ranks}
    twice = [[columns(first), columns(first)], [columns(second), columns(silent(second))]]
    return {
        "dropout": base,
        "evaluation": {**base, "train": False},
        "cached": {**base, "chunk": 3},
        "chunked_loss": {**base, "objective": asdict(replace(EVERYTHING, loss_chunk=3))},
        "no text on a rank": {**base, "batches": [[columns(first)], [columns(silent(second))]]},
        "nothing on a rank": {
            **base,
            "batches": [
                [columns(first)],
                [columns(replace(silent(second), frame_mask=torch.zeros(4, 8)))],
            ],
        },
        "accumulated": {**base, "batches": twice},
        "accumulated and cached": {**base, "batches": twice, "chunk": 2},
        "ce": {**base, "objective": asdict(select_arm(EVERYTHING, "ce"))},
        "ce in chunks": {**base, "objective": asdict(select_arm(EVERYTHING, "ce")), "chunk": 3},
    }


@pytest.fixture(scope="module")
def ranks(cases, tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp("ranks")
    torch.save(cases, folder / "cases.pt")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    child = [str(Path(__file__).with_name("distributed_child.py")), str(folder)]
    done = subprocess.run(
        [*launcher, "--nproc-per-node", "2", *child],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"rank{index}.pt", weights_only=True) for index in range(2)]


NAMES = (
    "dropout",
    "evaluation",
    "cached",
    "chunked_loss",
    "no text on a rank",
    "nothing on a rank",
    "accumulated",
    "accumulated and cached",
    "ce",
    "ce in chunks",
)


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_find_the_gradients_of_one(name, cases, ranks):
    expected = in_one_process(cases[name])
    first, second = (rank["cases"][name] for rank in ranks)
    assert first.keys() == second.keys() == expected.keys()
    largest = 0.0
    for key, value in expected.items():
        assert torch.equal(first[key], second[key]), key
        assert torch.allclose(first[key], value, atol=1e-5, rtol=1e-5), key
        largest = max(largest, value.abs().max().item())
    assert largest > 0.01


def test_the_other_ranks_rows_are_negatives(cases, ranks):
    alone = dict(cases["evaluation"], batches=[cases["evaluation"]["batches"][0]] * 2)
    found = ranks[0]["cases"]["evaluation"]["term in_audio"]
    assert (found - in_one_process(alone)["term in_audio"]).abs() > 0.01


def test_ranks_exchange_and_wait(ranks):
    for rank in ranks:
        assert rank["met"] == ("from 0", [0, 1])
    assert [rank["order"] for rank in ranks] == [[], ["0.there"]]


def test_a_run_of_two_ranks_is_one_run_and_goes_on_when_interrupted(ranks):
    first, second = (rank["runs"] for rank in ranks)
    assert first["resumed"] == 6
    # The first rank alone looks; both know what it saw.
    assert first["looks"] == second["looks"]
    assert [look["step"] for look in first["looks"]] == [4, 8, 12]
    whole, broken = first["whole"], first["broken"]
    assert len(whole["ranks"]) == 2
    # Each rank drew rows and masks of its own.
    assert not torch.equal(whole["ranks"][0]["cpu"], whole["ranks"][1]["cpu"])
    assert whole["ranks"][0]["position"] != whole["ranks"][1]["position"]
    for name, value in whole["weights"].items():
        assert torch.equal(value, broken["weights"][name]), name
    assert torch.equal(whole["ranks"][1]["cpu"], broken["ranks"][1]["cpu"])


def test_one_process_is_the_first_and_only_rank(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with this_rank("cpu") as rank:
        assert rank == Rank(0, 1, torch.device("cpu"))
        assert rank.first and rank.shared(3) == 3 and rank.collected(3) == [3]
        assert rank.seed(5) == 5


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"device=nothing: allowed are auto"):
        pick_device("nothing")
    with pytest.raises(InputError, match=r"device=cuda:99: process 0 wants GPU 99"):
        pick_device("cuda:99")
