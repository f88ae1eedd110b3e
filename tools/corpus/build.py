"""A build that can be stopped and taken up again: clips in parts, the manifest growing in order."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tools.corpus.background import Background
from tools.corpus.clip import PlannedClip
from tools.corpus.part import make_part
from turbo_stream.errors import InputError

_PART_CLIPS = 40


@dataclass
class BuildState:
    """What a build has finished, kept in `build.json`; the manifest is valid up to its length."""

    fingerprint: str
    parts: int = 0
    manifest_bytes: int = 0
    clips: int = 0
    speech_s: float = 0.0
    refused: int = 0


class Build:
    """A folder with `manifest.jsonl`, `refused.jsonl`, `build.json`, `clips/`, `background/`."""

    def __init__(
        self, out: Path, plan: list[PlannedClip], background: dict[str, list[PlannedClip]]
    ) -> None:
        """Open or begin the build of `plan` in `out`; `background` is heard behind its clips.

        Raises `InputError` when `out` holds the build of another plan.
        """
        self._out, self._background = out, background
        self._parts = [plan[at : at + _PART_CLIPS] for at in range(0, len(plan), _PART_CLIPS)]
        fingerprint = hashlib.sha256(repr((_PART_CLIPS, plan, background)).encode()).hexdigest()
        out.mkdir(parents=True, exist_ok=True)
        self.state = BuildState(fingerprint)
        if self._state_path.is_file():
            self.state = BuildState(**json.loads(self._state_path.read_text()))
            if self.state.fingerprint != fingerprint:
                raise InputError(
                    f"{out} holds a build with other settings or texts: choose another --out"
                )
        elif any(out.iterdir()):
            raise InputError(f"{out} is not empty and no corpus build: choose another --out")
        else:
            self._save()
        manifest = self._manifest_path
        manifest.touch()
        with manifest.open("r+b") as file:
            file.truncate(self.state.manifest_bytes)

    @property
    def planned_before(self) -> int:
        """How many planned clips earlier runs have dealt with."""
        return sum(len(part) for part in self._parts[: self.state.parts])

    @property
    def _manifest_path(self) -> Path:
        return self._out / "manifest.jsonl"

    @property
    def _state_path(self) -> Path:
        return self._out / "build.json"

    def _save(self) -> None:
        unfinished = self._state_path.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(self.state), indent=1) + "\n")
        unfinished.replace(self._state_path)

    def run(self, workers: int) -> Iterator[int]:
        """Speak what is left; yield after each part how many clips were planned in it."""
        left = self._parts[self.state.parts :]
        Background(self._out / "background").build(self._background)
        # Workers leave an interrupt to this process, which ends them.
        ignore = (signal.SIGINT, signal.SIG_IGN)
        context = multiprocessing.get_context("spawn")
        with context.Pool(workers, signal.signal, ignore) as pool:
            make = partial(make_part, out=self._out)
            # In order, so that rows never depend on which worker is faster.
            for part, (rows, refused) in zip(left, pool.imap(make, left), strict=True):
                self._append(rows, refused)
                yield len(part)

    def _append(self, rows: list[dict], refused: list[dict]) -> None:
        with (self._out / "refused.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in refused)
        with self._manifest_path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
            self.state.manifest_bytes = file.tell()
        self.state.parts += 1
        self.state.clips += len(rows)
        self.state.speech_s = round(self.state.speech_s + sum(r["duration"] for r in rows), 3)
        self.state.refused += len(refused)
        self._save()
