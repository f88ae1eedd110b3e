"""Sentences that may be spoken, and the public collections they are read from.

A collection is one `NAME.jsonl.gz`, rows with `text` and `label`.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from tools.corpus.normalize import normalize
from turbo_stream.errors import InputError

DIRECTED = "directed"

NOT_DIRECTED = "not_directed"

MAX_WORDS = 30
"""A request in a dialogue may be long: were long sentences talk alone, length would tell."""

MAX_CHARACTERS = 180

FOLDS = ("train", "dev", "test")

FOLD_SHARES = {"train": 0.78, "dev": 0.10, "test": 0.12}


@dataclass(frozen=True)
class TextItem:
    """A normalized sentence with its class and origin."""

    text: str
    label: str
    """`directed` or `not_directed`."""
    source: str
    """Collection or template file it comes from."""
    license: str
    fold: str
    device_name: str | None = None
    """Name of the device that hears it, where the class depends on that name."""
    previous_text: str | None = None
    """Of a follow-up: the command before it, without which it says little."""
    before: str | None = None
    """The turn before it as its collection has it: the assistant's, or another person's."""


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
    Collection("slurp_dev_test", DIRECTED, "CC-BY-4.0", 0.18),
    Collection("hwu64", DIRECTED, "CC-BY-4.0", 0.18),
    Collection("clinc150", DIRECTED, "CC-BY-3.0", 0.15),
    Collection("snips2017", DIRECTED, "CC0-1.0", 0.10),
    Collection("ohf_home_assistant_en", DIRECTED, "CC-BY-4.0", 0.09),
    Collection("sgd_user_turns", DIRECTED, "CC-BY-SA-4.0", 0.20, "conv"),
    Collection("taskmaster_user_turns", DIRECTED, "CC-BY-4.0", 0.10, "conv"),
    Collection("cabnc_home_conversation", NOT_DIRECTED, "CC-BY-3.0", 0.50, "conv"),
    Collection("topical_chat_typed", NOT_DIRECTED, "CDLA-Sharing-1.0", 0.15, "conv"),
    Collection("ami_meetings", NOT_DIRECTED, "CC-BY-4.0", 0.35, "conv"),
)

BENCHMARKS = ("pico_coffee_corpus",)
"""Sentences that recordings of a benchmark say: never spoken, wherever else they are found."""


def read_collections(folder: Path) -> list[TextItem]:
    """Return every usable sentence of the collections under `folder`, repeats included.

    Raises `InputError` when a file is missing.
    """
    items = []
    for collection in COLLECTIONS:
        path = folder / f"{collection.file}.jsonl.gz"
        if not path.is_file():
            raise InputError(
                f"{path} is missing; a folder of texts has the files named in docs/guide/corpus.md"
            )
        for row in _rows(path):
            text = normalize(row["text"])
            if text is None or not speakable(text) or row["label"] != collection.label:
                continue
            items.append(
                TextItem(
                    text,
                    collection.label,
                    collection.file,
                    collection.license,
                    fold_of(row[collection.group_column] if collection.group_column else text),
                    before=row.get("before") or None,
                )
            )
    return items


def benchmark_sentences(folder: Path) -> set[str]:
    """Return the sentences under `folder` that must stay unspoken; its files may be missing."""
    paths = (folder / f"{name}.jsonl.gz" for name in BENCHMARKS)
    texts = (normalize(row["text"]) for path in paths if path.is_file() for row in _rows(path))
    return {text for text in texts if text}


def _rows(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def without_repeats(items: list[TextItem], unspoken: Set[str] = frozenset()) -> list[TextItem]:
    """Return each text once, from the first source that has it, but for those in `unspoken`.

    Of a text met in both classes ("yes", "thank you") only those are kept, once in each class, of
    which the turn before is known: the words cannot say which it is.
    """
    classes: dict[str, set[str]] = {}
    for item in items:
        classes.setdefault(item.text, set()).add(item.label)
    kept: dict[tuple[str, str], TextItem] = {}
    for item in items:
        told = len(classes[item.text]) == 1 or item.before is not None
        if told and item.text not in unspoken:
            kept.setdefault((item.text, item.label), item)
    return list(kept.values())


def speakable(text: str) -> bool:
    """Whether `text` has 1 to 30 words and is short enough for one utterance."""
    return 1 <= len(text.split()) <= MAX_WORDS and len(text) <= MAX_CHARACTERS


def fold_of(key: str) -> str:
    """Return the fold of the text, conversation or template named by `key`.

    A hash and not a draw: the same sentence stands on the same side whatever the seed, the
    corpus size and the collection in which it was found.
    """
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:4], "big") / 2**32
    if place < FOLD_SHARES["train"]:
        return "train"
    return "dev" if place < FOLD_SHARES["train"] + FOLD_SHARES["dev"] else "test"
