"""Reads a folder of labelled recordings, and writes its manifests."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.files import write_json
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import write_manifest
from turbo_stream.evaluation.labelling.recording import (
    LABELS,
    Recording,
    Skipped,
    examine,
    sound_files,
    without_copies,
)
from turbo_stream.evaluation.labelling.split import (
    channel_auc,
    groups,
    held_out,
    speakers,
    warnings,
)


@dataclass(frozen=True)
class Written:
    """What was made of a folder."""

    parts: dict[Path, Counter[str]]
    """The manifests, and how many recordings of each label they have."""

    channel_auc: float | None
    """How well the channel alone tells the classes apart; see `split.channel_auc`."""

    warnings: list[str]


def read_folder(
    folder: Path,
    watch: Callable[[Sequence[tuple[Path, str]]], Iterable[tuple[Path, str]]] = iter,
) -> tuple[list[Recording], list[Skipped]]:
    """Return the recordings of `folder` that can be used, and those that cannot.

    The files and their labels are taken from what `watch` makes of them: of a progress bar.

    Raises:
        InputError: a class has no folder, or no recording that can be used.
    """
    found: list[Recording] = []
    skipped: list[Skipped] = []
    for path, label in watch(list(sound_files(folder))):
        seen = examine(path, label, folder)
        if isinstance(seen, Skipped):
            skipped.append(seen)
        else:
            found.append(seen)
    kept, copies = without_copies(found)
    for label in LABELS:
        if not any(recording.label == label for recording in kept):
            reason = f"; {skipped[0].path} {skipped[0].why}" if skipped else ""
            raise InputError(f"{folder / label} holds no sound that can be used{reason}")
    return kept, skipped + copies


def write_manifests(
    out: Path,
    recordings: Sequence[Recording],
    skipped: Sequence[Skipped],
    *,
    device_name: str | None,
    test_share: float,
) -> Written:
    """Write `train.jsonl`, `test.jsonl` and `folder.json`, what is known of both, into `out`.

    `test_share` of the recordings, by whole speakers where there are enough, are for the test.
    """
    test = held_out(recordings, test_share)
    rows = [
        recording.row(device_name) | {"group": group}
        for recording, group in zip(recordings, groups(recordings), strict=True)
    ]
    parts = {
        "train": [row for row in rows if row["group"] not in test],
        "test": [row for row in rows if row["group"] in test],
    }
    for part, members in parts.items():
        if members:
            write_manifest(out / f"{part}.jsonl", members)
        else:
            # An earlier one would hold what is in the other part now.
            (out / f"{part}.jsonl").unlink(missing_ok=True)
    parts = {part: members for part, members in parts.items() if members}
    counts = {part: Counter(row["label"] for row in members) for part, members in parts.items()}
    auc = channel_auc(recordings)
    said = warnings(recordings, auc)
    write_json(
        out / "folder.json",
        {
            "recordings": dict(Counter(recording.label for recording in recordings)),
            "hours": sum(recording.duration_s for recording in recordings) / 3600,
            "speakers": speakers(recordings),
            "with_text": sum(recording.text is not None for recording in recordings),
            **{part: dict(labels) for part, labels in counts.items()},
            "channel_auc": auc,
            "warnings": said,
            "skipped": [{"path": str(item.path), "why": item.why} for item in skipped],
        },
    )
    return Written({out / f"{part}.jsonl": labels for part, labels in counts.items()}, auc, said)
