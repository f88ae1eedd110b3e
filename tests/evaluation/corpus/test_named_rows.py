import json
from pathlib import Path

import pytest

from tests.support.paths import KITCHEN
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.named_rows import name_leak
from turbo_stream.evaluation.run import evaluate, remarks
from turbo_stream.evaluation.scoring.settings import ScoringSettings

LABELS = ("directed", "not_directed")


def _rows(named: int, of: int, other_named: int, other_of: int) -> list[tuple[str, bool]]:
    return [
        *(("directed", number < named) for number in range(of)),
        *(("not_directed", number < other_named) for number in range(other_of)),
    ]


@pytest.mark.parametrize(
    "named, of, other_named, other_of, told",
    [
        (0, 363, 131, 131, True),  # the telephone: one class alone has names
        (100, 100, 0, 100, True),
        (50, 100, 71, 100, True),
        (50, 100, 70, 100, False),
        (100, 100, 100, 100, False),
        (0, 100, 0, 100, False),
        (9, 9, 0, 100, False),  # too few to say
        (10, 10, 0, 10, True),
        (0, 0, 10, 10, False),
        (0, 0, 0, 0, False),
    ],
)
def test_names_that_tell_the_class(
    named: int, of: int, other_named: int, other_of: int, told: bool
) -> None:
    assert bool(name_leak(_rows(named, of, other_named, other_of))) is told


def test_it_says_how_much_of_which_class_and_what_to_do() -> None:
    assert name_leak(_rows(1, 20, 20, 20)) == (
        "100% of the rows of 'not_directed' have a `device_name`, and 5% of those of 'directed': "
        "the name alone tells the classes apart; leave the column out, or give all rows a name"
    )


def _manifest(path: Path) -> Path:
    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": 0.1 * number,
            "duration": 0.5,
            "label": LABELS[number % 2],
            **({"device_name": "friday"} if number % 2 else {}),
        }
        for number in range(20)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_segments_of_a_named_device_count_each(tmp_path: Path) -> None:
    rows = [
        {
            "audio_filepath": f"{label}.wav",
            "segments": [{"start_s": at, "end_s": at + 1, "label": label} for at in range(10)],
            **({"device_name": "friday"} if label == "directed" else {}),
        }
        for label in LABELS
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (told,) = remarks(manifest, read_manifest(manifest), ScoringSettings(mode="stream"), LABELS)
    assert "the name alone tells the classes apart" in told


def test_a_run_tells_it_and_keeps_it(tmp_path: Path, tiny_package: Path) -> None:
    manifest, said = _manifest(tmp_path / "m.jsonl"), []
    settings = ScoringSettings(model=str(tiny_package), asr="none")
    metrics = evaluate(manifest, tmp_path / "out", settings, say=said.append)
    (line,) = said
    assert "the name alone tells the classes apart" in line
    kept = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert kept["run"]["warnings"] == metrics["run"]["warnings"] == [line]
