"""What recognizers make of the finished clips: `hypotheses.jsonl`."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tools.corpus.build import in_order
from turbo_stream import InputError, Recognizer
from turbo_stream._util.files import recovered_lines
from turbo_stream._util.language import ENGLISH, same_language
from turbo_stream._util.unicode_text import json_text
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.told import read_report, report

HYPOTHESES_NAME = "hypotheses.jsonl"
_CHUNK = 8

_recognizer: Recognizer | None = None
"""Of a worker process; set once by `_start`."""


def recognizer_names(specs: Iterable[str]) -> dict[str, str]:
    """Return the names of the recognizers that `specs` stand for, each with its spec.

    Raises `InputError` for one that is not there, for `none`, and for two of one name.
    """
    found: dict[str, str] = {}
    for spec in specs:
        name = _load(spec).name
        if name == "none":
            raise InputError("the recognizer none hears nothing; leave it out")
        if name in found:
            both = f"{found[name]} and {spec}"
            raise InputError(f"the recognizers {both} are both called {name}; rename one")
        found[name] = spec
    return found


class Hearing:
    """One recognizer over the manifest of `out`; clips that it has heard are not heard again."""

    def __init__(self, out: Path, spec: str, name: str) -> None:
        """Find out what is left for the recognizer `name`, loaded by `spec`."""
        self._out, self._spec, self.name = out, spec, name
        self._path = out / HYPOTHESES_NAME
        with (out / "manifest.jsonl").open(encoding="utf-8") as lines:
            clips = [json.loads(line)["audio_filepath"] for line in lines]
        heard = self._heard()
        self.left = [clip for clip in clips if clip not in heard]
        self.total = len(clips)

    def run(self, workers: int) -> Iterator[int]:
        """Hear what is left, in order; yield 1 after each clip, whose row is then written."""
        paths = [self._out / clip for clip in self.left]
        start = partial(_start, self._spec)
        heard = in_order(_hear, paths, workers, start=start, chunk=_CHUNK)
        with self._path.open("a", encoding="utf-8") as file:
            for clip, found in zip(self.left, heard, strict=True):
                row = {"audio_filepath": clip, **found}
                row["asr"]["backend"] = self.name
                file.write(json_text(row) + "\n")
                file.flush()
                yield 1

    def _heard(self) -> set[str]:
        """Return the clips that this recognizer has heard; drop a line that was not finished."""
        if not self._path.is_file():
            return set()
        rows = recovered_lines(self._path, _is_heard)
        return {row["audio_filepath"] for row in rows if row["asr"]["backend"] == self.name}


def _is_heard(row: Any) -> bool:
    """Return whether `row` is a line of `hypotheses.jsonl`."""
    if not isinstance(row, dict) or not isinstance(row.get("audio_filepath"), str):
        return False
    return isinstance(row.get("asr"), dict) and "backend" in row["asr"]


def _load(spec: str) -> Recognizer:
    # The texts of a corpus are English, and what is taken for another language is read as one.
    return load_recognizer(spec, translate=True, say=lambda message: None)


def _start(spec: str) -> None:
    global _recognizer
    _recognizer = _load(spec)


def _hear(path: Path) -> dict:
    assert _recognizer is not None, "a worker hears only after _start"
    heard = checked(_recognizer.transcribe(read_clip(path)))
    read = "content"
    if heard.language is not None and not same_language(heard.language, ENGLISH):
        read = "sound" if heard.translation is None else "translation"
    return {"text_used": heard.text, **read_report(heard, read), "asr": report(heard)}
