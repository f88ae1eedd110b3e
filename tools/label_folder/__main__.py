"""Command line: `python -m tools.label_folder FOLDER --out DIR`, manifests of own recordings."""

import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from tools.label_folder.recording import (
    LABELS,
    Recording,
    Skipped,
    examine,
    sound_files,
    without_copies,
)
from tools.label_folder.split import channel_auc, groups, held_out, speakers, warnings
from training.data.lines import write_manifest
from turbo_stream._util.files import write_json
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

_STDERR = Console(stderr=True)


def read_folder(folder: Path) -> tuple[list[Recording], list[Skipped]]:
    """Return the recordings of `folder` that can be used, and those that cannot.

    Raises:
        InputError: a class has no recording that can be used.
    """
    found: list[Recording] = []
    skipped: list[Skipped] = []
    for path, label in track(list(sound_files(folder)), "reading", console=_STDERR):
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


@click.command("tools.label_folder")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--name", help="What the device is called.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 0.5),
    default=0.25,
    show_default=True,
    help="Share of the recordings, by whole speakers, that is kept for the test.",
)
def main(folder: Path, out: Path, name: str | None, test_share: float) -> None:
    """Write train.jsonl and test.jsonl of the recordings in FOLDER, and say what is wrong there.

    FOLDER has a folder directed and a folder not_directed; a folder below them, or a file's name up
    to its first _, is the speaker. What is said may stand in a .txt beside the sound.
    """
    recordings, skipped = read_folder(folder)
    test = held_out(recordings, test_share)
    rows = [
        recording.row(name) | {"group": group}
        for recording, group in zip(recordings, groups(recordings), strict=True)
    ]
    parts = {
        "train": [row for row in rows if row["group"] not in test],
        "test": [row for row in rows if row["group"] in test],
    }
    parts = {part: members for part, members in parts.items() if members}
    for part, members in parts.items():
        write_manifest(out / f"{part}.jsonl", members)
    with _STDERR.status("listening to the channel"):
        auc = channel_auc(recordings)
    said = warnings(recordings, auc)
    write_json(
        out / "folder.json",
        {
            "recordings": dict(Counter(recording.label for recording in recordings)),
            "hours": sum(recording.duration_s for recording in recordings) / 3600,
            "speakers": speakers(recordings),
            "with_text": sum(recording.text is not None for recording in recordings),
            **{part: dict(Counter(row["label"] for row in rows)) for part, rows in parts.items()},
            "channel_auc": auc,
            "warnings": said,
            "skipped": [{"path": str(item.path), "why": item.why} for item in skipped],
        },
    )
    for part, members in parts.items():
        counts = Counter(row["label"] for row in members)
        spread = ", ".join(f"{label} {counts[label]}" for label in LABELS)
        print(f"{out / f'{part}.jsonl'}: {spread}")
    if auc is not None:
        print(f"content-free probe: AUC {auc:.2f} (0.5: the channel says nothing of the class)")
    for item in skipped:
        print(f"left out: {item.path} {item.why}")
    for line in said:
        print(f"warning: {line}")


if __name__ == "__main__":
    sys.exit(run_command(main))
