"""Rows of training data: recordings by JSONL manifest, lines of text by JSONL folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from training.data.hypotheses import Heard, hypotheses_of
from training.data.lines import read_lines
from training.data.row import Row, text_key
from turbo_stream._util.unicode_text import whole_text
from turbo_stream.detection.package import DIRECTED, NOT_DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.labels import Labelled, check_spelling
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.corpus.manifest import read_manifest as read_items


def _labelled(path: Path, items: Iterable[Item]) -> list[Item]:
    """Return the items that a model can learn from: labelled, and not by name only."""
    kept = [item for item in items if not item.row.get("nominal")]
    for item in kept:
        if not item.row.get("label"):
            raise InputError(
                f"{path}, item {item.index + 1} has no label; name the class of every row in a "
                'column "label"'
            )
    return kept


def _with_places(path: Path, items: Iterable[Item]) -> Iterator[Labelled]:
    for item in items:
        yield f"{path}, item {item.index + 1}", item.row["label"]


def found_labels(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the labels that the manifests name, sorted.

    Raises:
        InputError: a row has no label, all have the same, or two differ in their spelling only.
    """
    given = list(paths)
    found = [
        labelled
        for path in given
        for labelled in _with_places(path, _labelled(path, read_items(path)))
    ]
    # Those of the product mean something: written otherwise they would be any two classes.
    check_spelling(found, (DIRECTED, NOT_DIRECTED))
    labels = tuple(sorted({label for _, label in found}))
    if len(labels) < 2:
        names = ", ".join(str(path) for path in given) or "no manifest"
        what = f"only the label {labels[0]}" if labels else "no label"
        raise InputError(f"{names}: {what} found; two classes at least are needed")
    return labels


def _plain(row: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in row.items() if isinstance(value, (str, int, float))}


def read_manifest(path: Path, labels: tuple[str, ...], hypotheses: Heard) -> list[Row]:
    """Read a manifest as turbo-eval does; rows of other and of nominal labels are left out.

    The group of a row is its `group`, else `voice`, else `speaker`, else the recording itself. It
    is not told apart by collection: the same callers may speak in several.

    Raises:
        InputError: a row is not what it should be, or its label is a misspelt one of `labels`.
    """
    rows = []
    items = read_items(path)
    heard = dict(zip((item.index for item in items), hypotheses_of(items, hypotheses), strict=True))
    labelled = _labelled(path, items)
    check_spelling(_with_places(path, labelled), labels)
    for item in labelled:
        row = item.row
        if row["label"] not in labels:
            continue
        stored = row["audio_filepath"]
        name = item.device_name
        collection = row.get("set") or row.get("engine") or row.get("source") or path.stem
        group = row.get("group") or row.get("voice") or row.get("speaker") or stored
        rows.append(
            Row(
                audio=item.path,
                label=labels.index(row["label"]),
                text=item.text,
                hypotheses=heard[item.index],
                collection=collection,
                group=str(group),
                names=(name,) if name else (),
                before=whole_text(str(row.get("before") or "")),
                offset_s=item.offset_s,
                duration_s=item.duration_s,
                synthetic="engine" in row,
                fold=row.get("fold"),
                shippable=bool(row.get("shippable", True)),
                text_source=row.get("text_source") if "engine" in row else None,
                source=row.get("source"),
                license=row.get("license"),
                columns=_plain(row),
            )
        )
    return rows


def held_text_keys(paths: Iterable[Path]) -> set[str]:
    """Return the keys of every text that the manifests' development and test rows speak."""
    return {
        text_key(item["text"])
        for path in paths
        for item in read_lines(path)
        if item.get("fold") in ("dev", "test") and item.get("text")
    }


def read_texts(folder: Path, labels: tuple[str, ...], held: set[str]) -> list[Row]:
    """Read every `*.jsonl.gz` of `folder`, but for `held` keys.

    A sentence that comes twice with one label, after the same turn, is kept once. "Yes" is said in
    both classes, and is kept in both.
    """
    rows, seen = [], set()
    for path in sorted(folder.glob("*.jsonl.gz")):
        collection = path.name.removesuffix(".jsonl.gz")
        for item in read_lines(path):
            key, before = text_key(item["text"]), item.get("before") or ""
            again = (key, text_key(before), item["label"])
            if not key or key in held or again in seen or item["label"] not in labels:
                continue
            seen.add(again)
            rows.append(
                Row(
                    audio=None,
                    label=labels.index(item["label"]),
                    text=whole_text(item["text"]),
                    hypotheses=(),
                    collection=collection,
                    group=f"{collection}/{item.get('conv') or key}",
                    names=(),
                    before=whole_text(before),
                )
            )
    return rows
