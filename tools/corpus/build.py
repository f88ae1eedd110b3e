"""A build that can be stopped and taken up again: clips in parts, the manifest growing in order."""

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial, reduce
from pathlib import Path
from typing import TypeVar

from tools.corpus.part import make_part
from tools.corpus.plan import PlannedClip
from tools.corpus.recording import RecordedClip
from turbo_stream._util.folder_lock import LOCK_NAME
from turbo_stream._util.worker import end_with_parent
from turbo_stream.errors import InputError


@dataclass
class BuildState:
    """What a build has finished, kept in `build.json`; its files are valid up to their length."""

    fingerprint: str
    """Of the parts that are finished."""
    parts: int = 0
    manifest_bytes: int = 0
    refused_bytes: int = 0
    clips: int = 0
    speech_s: float = 0.0
    refused: int = 0


class Build:
    """A corpus folder: manifest, state, what was refused, sound files and background."""

    def __init__(
        self,
        out: Path,
        stages: Iterable[Sequence[PlannedClip | RecordedClip]],
        background: Mapping[str, list[PlannedClip]],
        kokoro: Path | None = None,
    ) -> None:
        """Open or begin the build of `stages` in `out`; `background` is heard behind their clips.

        `kokoro` is the folder of that engine, for plans with voices of it.

        Raises `InputError` when `out` holds the build of another plan. What it holds may be the
        beginning of this plan: recordings can be added to a finished build.
        """
        self.out, self._background, self._kokoro = out, background, kokoro
        self._parts = [
            stage[at : at + _PART_CLIPS]
            for stage in stages
            for at in range(0, len(stage), _PART_CLIPS)
        ]
        out.mkdir(parents=True, exist_ok=True)
        start = _digest("", (_PART_CLIPS, background))
        self.state = BuildState(start)
        if self._state_path.is_file():
            self.state = _read_state(self._state_path)
            done = self._parts[: self.state.parts]
            same = reduce(_digest, done, start) == self.state.fingerprint
            if not same or len(done) < self.state.parts:
                raise InputError(
                    f"{out} holds a build with other settings or texts; choose another folder"
                )
        elif any(path.name != LOCK_NAME for path in out.iterdir()):
            raise InputError(f"{out} is not empty and no corpus build; choose another folder")
        else:
            self._save()
        for path, valid in (
            (self._manifest_path, self.state.manifest_bytes),
            (self._refused_path, self.state.refused_bytes),
        ):
            path.touch()
            with path.open("r+b") as file:
                file.truncate(valid)

    @property
    def planned(self) -> int:
        """How many clips there shall be."""
        return sum(len(part) for part in self._parts)

    @property
    def planned_before(self) -> int:
        """How many planned clips earlier runs have dealt with."""
        return sum(len(part) for part in self._parts[: self.state.parts])

    @property
    def _manifest_path(self) -> Path:
        return self.out / "manifest.jsonl"

    @property
    def _refused_path(self) -> Path:
        return self.out / "refused.jsonl"

    @property
    def _state_path(self) -> Path:
        return self.out / "build.json"

    def _save(self) -> None:
        unfinished = self._state_path.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(self.state), indent=1) + "\n")
        unfinished.replace(self._state_path)

    def run(self, workers: int) -> Iterator[int]:
        """Speak what is left; yield after each part how many clips were planned in it."""
        left = self._parts[self.state.parts :]
        make = partial(make_part, out=self.out, talkers=self._background, kokoro=self._kokoro)
        # In order, so that rows never depend on which worker is faster.
        for part, (rows, refused) in zip(left, in_order(make, left, workers), strict=True):
            self._append(rows, refused)
            self.state.fingerprint = _digest(self.state.fingerprint, part)
            self.state.parts += 1
            self._save()
            yield len(part)

    def _append(self, rows: list[dict], refused: list[dict]) -> None:
        self.state.refused_bytes = _append_lines(self._refused_path, refused)
        self.state.manifest_bytes = _append_lines(self._manifest_path, rows)
        self.state.clips += len(rows)
        self.state.speech_s = round(self.state.speech_s + sum(r["duration"] for r in rows), 3)
        self.state.refused += len(refused)


Task = TypeVar("Task")

Result = TypeVar("Result")


def in_order(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    *,
    start: Callable[[], None] | None = None,
    chunk: int = 1,
) -> Iterator[Result]:
    """Yield `work(task)` of each task in order, done by `workers` processes; by this one if one.

    `start` is called once in each; tasks are handed out `chunk` at a time.
    """
    if workers == 1:
        if start is not None and tasks:
            start()
        yield from map(work, tasks)
    elif tasks:
        # Spawned, not forked: native threads do not survive a fork.
        with multiprocessing.get_context("spawn").Pool(workers, _begin, (start,)) as pool:
            yield from pool.imap(work, tasks, chunksize=chunk)


def _begin(start: Callable[[], None] | None) -> None:
    # The process that hands out the work is interrupted, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if start is not None:
        start()


_PART_CLIPS = 40


def _read_state(path: Path) -> BuildState:
    try:
        return BuildState(**json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); choose another folder") from error


def _append_lines(path: Path, rows: list[dict]) -> int:
    """Append `rows` and return the length of the file in bytes."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        return file.tell()


def _digest(before: str, part: object) -> str:
    """Return the fingerprint of what `before` stands for and `part` after it."""
    return hashlib.sha256(f"{before} {part!r}".encode()).hexdigest()
