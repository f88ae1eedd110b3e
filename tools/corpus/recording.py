"""Real recordings by manifest: told apart by speaker, sent through the same scenes."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.corpus.plan import BACKGROUND_TALKERS, LEVEL_RANGE_DB
from tools.corpus.scene import Scene, Scenery
from tools.corpus.text_collections import DIRECTED, FOLDS, NOT_DIRECTED, fold_of
from tools.corpus.text_sources import TextSources
from training.data.row import text_key
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import clip_blocks
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest


@dataclass(frozen=True)
class RecordedClip:
    """A row of a manifest and the scene it is put into."""

    number: int
    item: Item
    scene: Scene
    level_db: float


class Recordings:
    """What the manifests hold, and what had to stay out."""

    def __init__(self, manifests: Iterable[Path], texts: TextSources, seed: int) -> None:
        """Read the manifests; `texts` says which side a sentence is on.

        Rows whose label is but nominal are left out. Raises `InputError` for a row without one of
        the two labels, with a fold that there is not, or whose sound cannot be read.
        """
        rng = random.Random(f"recordings {seed}")
        scenery = Scenery(rng)
        self.clips: list[RecordedClip] = []
        self.left_out = 0
        """Rows whose sentence stands on another side than their speaker."""
        for manifest in manifests:
            for item in read_manifest(manifest):
                if item.row.get("nominal"):
                    continue
                fold = _fold(manifest, item)
                if item.text and not texts.stays(text_key(item.text), fold):
                    self.left_out += 1
                    continue
                scene = scenery.draw(fold, range(BACKGROUND_TALKERS), noisy=True)
                level_db = round(rng.uniform(*LEVEL_RANGE_DB), 1)
                self.clips.append(RecordedClip(len(self.clips), item, scene, level_db))


def _fold(manifest: Path, item: Item) -> str:
    """Return the side of a row, by its `fold` or its `group`, else `speaker`, else itself."""
    row, where = item.row, f"{manifest}, item {item.index + 1}"
    if row.get("label") not in (DIRECTED, NOT_DIRECTED):
        raise InputError(
            f"{where} has the label {row.get('label')!r}; give {DIRECTED} or {NOT_DIRECTED}"
        )
    fold = row.get("fold")
    if fold is not None and fold not in FOLDS:
        raise InputError(f"{where} has the fold {fold!r}; give {', '.join(FOLDS)}, or leave it out")
    try:
        next(clip_blocks(item.path, item.offset_s, item.duration_s))
    except StopIteration:
        raise InputError(f"{where}: {item.path} has no sound there; check offset") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return fold or fold_of(str(row.get("group") or row.get("speaker") or row["audio_filepath"]))
