"""A whole evaluation: manifest in, predictions, metrics and report out."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import turbo_stream
from turbo_stream._util.folder_lock import FolderLock
from turbo_stream.deciding.learner_of_models import kernel_of
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import DIRECTED, file_hash
from turbo_stream.errors import InputError
from turbo_stream.evaluation._progress import with_progress
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.labels import check_spelling, unknown_labels
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.evaluation.corpus.named_rows import name_leak
from turbo_stream.evaluation.corpus.part import row_duration_s, row_offset_s
from turbo_stream.evaluation.corpus.rows import Row
from turbo_stream.evaluation.figures.learning import check_speech, learning_figures
from turbo_stream.evaluation.report._mistakes import ReadAudio
from turbo_stream.evaluation.report.report import write_results
from turbo_stream.evaluation.scoring._journal import Journal, fingerprint
from turbo_stream.evaluation.scoring._ray_engine import score_on_ray
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.local_engine import Scored, score_locally
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.learning.gate import judge
from turbo_stream.learning.vectors import Vectors
from turbo_stream.recognition.whisper import WhisperRecognizer

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """Where the scoring happens."""

    kind: str = "local"
    """`local` or `ray`."""

    workers: int = 1
    address: str | None = None
    """Of a Ray cluster; None for one on this machine."""

    def score(self, items: Sequence[Item], settings: ScoringSettings) -> Iterator[Scored]:
        """Yield every item's row as it is scored."""
        if self.kind == "local":
            return score_locally(items, settings, workers=self.workers)
        return score_on_ray(items, settings, workers=self.workers, address=self.address)


def evaluate(
    manifest: Path,
    out: Path,
    settings: ScoringSettings,
    *,
    conditions: Sequence[str] = ("clean",),
    engine: Engine | None = None,
    learn_counts: Sequence[int] = (),
    say: Callable[[str], None] = _LOG.warning,
) -> dict[str, Any]:
    """Score a manifest into `out` and return the content of `metrics.json`.

    `say` is told before the scoring what of the manifest will count for less than its author may
    think: labels that the model does not know, rows without one, and names that tell the class.
    It stands in `metrics.json` under `warnings` of `run`, too.

    `learn_counts` are examples of each class (see `parse_counts`): how much the model would gain
    by learning from so many in place. Then the journal keeps the vectors of every row.

    What an earlier, killed run with the same arguments has scored is not scored again; two at once
    exclude each other. The first condition's rows are `out/predictions.jsonl`, those of the others
    `out/conditions/NAME/predictions.jsonl`.

    Raises:
        InputError: the manifest or the settings are not usable, no row has a label, a label is a
            misspelt one of the model's, `out` holds another run, or one that has not ended writes
            into it; or not one item could be read, which its results say, too.
    """
    with FolderLock(out):
        return _evaluate(manifest, out, settings, conditions, engine, learn_counts, say)


def _evaluate(
    manifest: Path,
    out: Path,
    settings: ScoringSettings,
    conditions: Sequence[str],
    engine: Engine | None,
    learn_counts: Sequence[int],
    say: Callable[[str], None],
) -> dict[str, Any]:
    items = read_manifest(manifest)
    settings = replace(settings.resolved(), keep_vectors=bool(learn_counts))
    # Loading the models here first tells of wrong settings in one line, before any worker starts.
    scorer = Scorer(settings)
    if (learner := scorer.models.learner) is not None:
        say(f"{learner.path}: {learner.learned}")
    if learn_counts:
        _check_learning(scorer, settings, items, learn_counts)
    warnings = remarks(manifest, items, settings, scorer.models.package.labels)
    for message in warnings:
        say(message)
    run = describe_run(scorer, settings, manifest)
    scored = {
        name: _score(items, replace(settings, condition=name), run, _folder(out, name), engine)
        for name in conditions
    }
    rows = {name: found for name, (found, _) in scored.items()}
    first, *others = conditions
    sweep = rows if others else None
    base = manifest if manifest.is_dir() else manifest.parent
    # What is only told makes no other run: it is not part of what the scores depend on.
    told = {**run, "warnings": warnings}
    learning = None
    if learn_counts and any("error" not in row for row in rows[first]):
        kernel = kernel_of(scorer.models.package)
        learning = learning_figures(
            *scored[first], learn_counts, lambda examples: judge(examples, kernel)
        )
    results = write_results(
        out,
        rows[first],
        told,
        conditions=sweep,
        learning=learning,
        read_audio=_reader(base, run),
    )
    if len(failed := results["failed"]) == len(items):
        raise InputError(
            f"{manifest}: none of its {len(items)} items could be read or scored; the first, "
            f"{failed[0]['audio_filepath']}: {failed[0]['error']}"
        )
    return results


def _check_learning(
    scorer: Scorer, settings: ScoringSettings, items: Sequence[Item], counts: Sequence[int]
) -> None:
    """Raise `InputError` where nothing could be learned, before anything is scored."""
    if DIRECTED not in scorer.models.package.labels:
        raise InputError(
            f"`learn_counts` were given, and no label of {scorer.models.package.name} is "
            f"{DIRECTED!r}, and no other is learned; leave them out"
        )
    if settings.learn is not None:
        raise InputError(
            "`learn` and `learn_counts` exclude each other: what is learned is measured from the "
            "model as it shipped; give one of them"
        )
    check_speech([item.row for item in items], counts)


def remarks(
    manifest: Path, items: Sequence[Item], settings: ScoringSettings, known: Sequence[str]
) -> list[str]:
    """Return what to tell of the labels and names of `items` before they are scored.

    Raises:
        InputError: a label differs from one of `known` only in its spelling, or no clip has one.
    """
    if settings.mode == "stream":
        labelled = [(item, found) for item in items for found in _span_labels(manifest, item)]
        bare = 0
    else:
        labelled = [
            (item, (f"{manifest}, item {item.index + 1}", label))
            for item in items
            if (label := item.row.get("label"))
        ]
        bare = len(items) - len(labelled)
    labels = [found for _, found in labelled]
    if bare == len(items):
        raise InputError(
            f"{manifest}: none of its {bare} rows has a `label`, so there is nothing to evaluate; "
            f"give each one, such as {' or '.join(known)}"
        )
    check_spelling(labels, known)
    found = []
    if unknown := unknown_labels(labels, known):
        counts = "count as not directed" if DIRECTED in known else "can only be missed"
        found.append(f"{manifest}: {unknown}; these {counts}")
    if bare:
        found.append(
            f"{manifest}: {bare} of {len(items)} rows have no label; they are scored and count in "
            "no figure"
        )
    if leak := name_leak((label, bool(item.device_name)) for item, (_, label) in labelled):
        found.append(f"{manifest}: {leak}")
    return found


def _span_labels(manifest: Path, item: Item) -> Iterator[tuple[str, str]]:
    """Yield the labels of a recording's segments; what is malformed is told with its item."""
    segments = item.row.get("segments")
    for number, segment in enumerate(segments if isinstance(segments, list) else (), 1):
        label = segment.get("label") if isinstance(segment, dict) else None
        if label and isinstance(label, str):
            yield f"{manifest}, item {item.index + 1}, segment {number}", label


def describe_run(scorer: Scorer, settings: ScoringSettings, manifest: Path) -> dict[str, Any]:
    """Return what stands in `metrics.json` under `run`: everything the scores depend on."""
    package, recognizer = scorer.models.package, scorer.models.recognizer
    reads_window = isinstance(recognizer, WhisperRecognizer)
    return {
        "mode": settings.mode,
        "manifest": str(manifest),
        "manifest_sha256": file_hash(manifest) if manifest.is_file() else None,
        "model": package.name,
        "model_version": package.version,
        "model_sha256": file_hash(package.folder / MANIFEST_NAME),
        "language": settings.language or package.language,
        "asr": scorer.asr,
        "window": asdict(settings.window) if reads_window else None,
        "text": "gold" if settings.gold_text else "asr",
        "vad": settings.vad if settings.mode == "stream" else None,
        "names": list(settings.names),
        "threshold": scorer.threshold,
        "operating_points": {
            name: asdict(point) for name, point in package.operating_points.items()
        },
        "seed": settings.seed,
        "settings": settings.described(),
        "learn_sha256": _hash_of(settings.learn),
        "turn_model_sha256": _hash_of(settings.turn_model) if settings.mode == "stream" else None,
        "version": turbo_stream.__version__,
    }


def _hash_of(path: str | Path | None) -> str | None:
    return file_hash(Path(path)) if path is not None and Path(path).is_file() else None


def _score(
    items: Sequence[Item],
    settings: ScoringSettings,
    run: dict[str, Any],
    folder: Path,
    engine: Engine | None,
) -> tuple[list[dict[str, Any]], list[Vectors | None]]:
    # The same manifest may be reached by another path, or a folder may have gained files.
    content = [item.row for item in items]
    same = {key: value for key, value in run.items() if key not in ("manifest", "version")}
    mark = fingerprint({**same, "condition": settings.condition, "rows": content})
    with Journal(folder, mark) as journal:
        done = set(journal.rows)
        if settings.keep_vectors:
            done -= journal.without_vectors()
        missing = [item for item in items if item.index not in done]
        scored = (engine or Engine()).score(missing, settings) if missing else iter(())
        before = len(items) - len(missing)
        label = settings.condition if settings.condition != "clean" else "scoring"
        for index, row in with_progress(scored, label=label, done=before, total=len(items)):
            journal.add(index, row)
        return journal.finish(), journal.vectors()


def _folder(out: Path, condition: str) -> Path:
    return out if condition == "clean" else out / "conditions" / condition


def _reader(base: Path, run: dict[str, Any]) -> ReadAudio:
    """Return what reads the sound of a row for the report: the clip, or the event's part."""

    def read(row: Row) -> NDArray[np.int16]:
        offset_s, duration_s = row_offset_s(row), row_duration_s(row)
        if run["mode"] == "stream":
            duration_s = row["end_s"] - row["start_s"]
            offset_s += row["start_s"]
        return read_clip(base / str(row["audio_filepath"]), offset_s, duration_s)

    return read
