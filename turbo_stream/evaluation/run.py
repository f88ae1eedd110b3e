"""A whole evaluation: manifest in, predictions, metrics and report out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import turbo_stream
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import file_hash
from turbo_stream.evaluation._progress import with_progress
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.evaluation.corpus.rows import Row
from turbo_stream.evaluation.report._mistakes import ReadAudio
from turbo_stream.evaluation.report.report import write_results
from turbo_stream.evaluation.scoring._journal import Journal, fingerprint
from turbo_stream.evaluation.scoring._ray_engine import score_on_ray
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.local_engine import Scored, score_locally
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.recognition.whisper import WhisperRecognizer


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
) -> dict[str, Any]:
    """Score a manifest into `out` and return the content of `metrics.json`.

    What an earlier, killed run with the same arguments has scored is not scored again. The first
    condition's rows are `out/predictions.jsonl`, those of the others
    `out/conditions/NAME/predictions.jsonl`.

    Raises:
        InputError: the manifest or the settings are not usable, or `out` holds another run.
    """
    items = read_manifest(manifest)
    settings = settings.resolved()
    # Loading the models here first tells of wrong settings in one line, before any worker starts.
    run = describe_run(Scorer(settings), settings, manifest)
    rows = {
        name: _score(items, replace(settings, condition=name), run, _folder(out, name), engine)
        for name in conditions
    }
    first, *others = conditions
    sweep = rows if others else None
    base = manifest if manifest.is_dir() else manifest.parent
    return write_results(out, rows[first], run, conditions=sweep, read_audio=_reader(base, run))


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
) -> list[dict[str, Any]]:
    # The same manifest may be reached by another path, or a folder may have gained files.
    content = [item.row for item in items]
    same = {key: value for key, value in run.items() if key not in ("manifest", "version")}
    mark = fingerprint({**same, "condition": settings.condition, "rows": content})
    with Journal(folder, mark) as journal:
        missing = [item for item in items if item.index not in journal.rows]
        scored = (engine or Engine()).score(missing, settings) if missing else iter(())
        done = len(items) - len(missing)
        label = settings.condition if settings.condition != "clean" else "scoring"
        for index, row in with_progress(scored, label=label, done=done, total=len(items)):
            journal.add(index, row)
        return journal.finish()


def _folder(out: Path, condition: str) -> Path:
    return out if condition == "clean" else out / "conditions" / condition


def _reader(base: Path, run: dict[str, Any]) -> ReadAudio:
    """Return what reads the sound of a row for the report: the clip, or the event's part."""

    def read(row: Row) -> NDArray[np.int16]:
        offset_s, duration_s = float(row.get("offset") or 0.0), row.get("duration")
        if run["mode"] == "stream":
            duration_s = row["end_s"] - row["start_s"]
            offset_s += row["start_s"]
        return read_clip(base / str(row["audio_filepath"]), offset_s, duration_s)

    return read
