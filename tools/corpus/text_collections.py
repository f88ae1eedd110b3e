"""Texts from public collections, one `NAME.jsonl.gz` each, rows with `text` and `label`."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from tools.corpus.normalize import normalize
from tools.corpus.text_item import DIRECTED, NOT_DIRECTED, TextItem, fold_of, speakable
from turbo_stream.errors import InputError


@dataclass(frozen=True)
class Collection:
    """A collection whose licence admits a model trained on it."""

    file: str
    label: str
    license: str
    share: float
    """Share of the plain (neither name nor hard negative) rows of its class."""
    group_column: str | None = None
    """Column whose value must stay on one side of the split (a conversation)."""


COLLECTIONS = (
    Collection("slurp_dev_test", DIRECTED, "CC-BY-4.0", 0.24),
    Collection("hwu64", DIRECTED, "CC-BY-4.0", 0.24),
    Collection("clinc150", DIRECTED, "CC-BY-3.0", 0.20),
    Collection("snips2017", DIRECTED, "CC0-1.0", 0.14),
    Collection("ohf_home_assistant_en", DIRECTED, "CC-BY-4.0", 0.12),
    Collection("pico_coffee_corpus", DIRECTED, "Apache-2.0", 0.06),
    Collection("cabnc_home_conversation", NOT_DIRECTED, "CC-BY-3.0", 0.80, "conv"),
    Collection("topical_chat_typed", NOT_DIRECTED, "CDLA-Sharing-1.0", 0.20, "conv"),
)


def read_collections(folder: Path) -> list[TextItem]:
    """Return every usable sentence of the collections under `folder`, repeats included.

    Raises `InputError` when a file is missing.
    """
    items = []
    for collection in COLLECTIONS:
        path = folder / f"{collection.file}.jsonl.gz"
        if not path.is_file():
            raise InputError(
                f"{path} is missing: --texts needs the files named in docs/guide/corpus.md"
            )
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                text = normalize(row["text"])
                if text is None or not speakable(text) or row["label"] != collection.label:
                    continue
                key = row[collection.group_column] if collection.group_column else text
                items.append(
                    TextItem(
                        text, collection.label, collection.file, collection.license, fold_of(key)
                    )
                )
    return items


def without_repeats(items: list[TextItem]) -> list[TextItem]:
    """Return each text once, from the first source that has it.

    A text met in both classes ("yes", "thank you") is dropped: its words cannot say which it is.
    """
    first: dict[str, TextItem] = {}
    ambiguous = set()
    for item in items:
        if first.setdefault(item.text, item).label != item.label:
            ambiguous.add(item.text)
    return [item for text, item in first.items() if text not in ambiguous]
