"""Who learns, who chooses and who is asked; the fixed pairs of collections."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from training.data.config import DataConfig
from training.data.names import NAMES
from training.data.row import Row
from training.folds.fold_file import FoldFile, read_folds
from training.folds.topic import on_topic, without_topics
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import held_units, stable_share

_DEV_TEXTS = 1500
"""Lines of text in a development set at most: more would only cost time."""

PAIRS = tuple(
    ",".join(value.partition(":")[0] for value in test) for test in read_folds("rej").tests
)
"""What the folds `rej` test, fixed beforehand: one collection of each class, directed first."""


@dataclass(frozen=True)
class Split:
    """The rows of one run; no recording is in two of them."""

    train: list[Row]
    dev: list[Row]
    test: list[Row]

    dev_parts: dict[str, list[Row]] = field(default_factory=dict)
    """The recordings of `dev` by the part of the fold file; empty where it is one whole."""

    names: tuple[str, ...] = NAMES
    """What a device may be called in a line that is trained on."""


def split_rows(rows: Sequence[Row], data: DataConfig, seed: int, labels: Sequence[str]) -> Split:
    """Split `rows` by the fold file if there is one, else by the manifests, else by share.

    Lines of text are trained on, but for a stable share in the development set. Where whole
    collections are tested, nothing of what they or those of the development set say is known from
    another place, nor what it is about: see `_without_their_words`. The weights of such a run are
    only measured, so its development set may hold rows that may not ship.

    Raises:
        InputError: a class is missing from the training or the development set, or a fold file
            has no such fold, or tests nothing.
    """
    sounds = [row for row in rows if row.audio is not None]
    texts = [row for row in rows if row.audio is None]
    folds = read_folds(data.folds) if data.folds else None
    if folds is None:
        split = _by_manifest(sounds, data.dev_share)
    else:
        if not 0 <= data.fold < len(folds.tests):
            raise InputError(
                f"data.fold={data.fold}: {folds.name} has the folds 0 to {len(folds.tests) - 1}"
            )
        split = _by_file(sounds, folds, data.fold, labels)
        values = folds.tests[data.fold]
        missing = [value for value in values if not _of(split.test, folds.column, [value], labels)]
        if missing and (folds.by_collection or not split.test):
            raise InputError(
                f"{folds.name}, fold {data.fold}: no row has {folds.column} {', '.join(missing)}; "
                "give the manifests of all that is tested"
            )
    by_collection, names = folds is not None and folds.by_collection, NAMES
    train = [row for row in split.train if row.shippable or not data.shippable_only]
    dev = [row for row in split.dev if row.shippable or by_collection or not data.shippable_only]
    if by_collection:
        met = [*split.test, *split.dev]
        train, texts = (_without_their_words(part, met) for part in (train, texts))
        names = without_topics(NAMES, {row.collection for row in met})
    if sounds:
        drawn = draws_recordings(texts, data)
        needed = {"training": train} if drawn else {}
        if drawn or dev:  # else lines choose, too
            needed["development"] = dev
        for name, part in needed.items():
            given = {row.label for row in part}
            missing = [label for i, label in enumerate(labels) if i not in given]
            if missing:
                raise InputError(
                    f"the {name} set has no {', '.join(missing)}; give more speakers or groups, "
                    'a column "fold", or another data.folds'
                )
    kept = {id(row) for row in dev}
    parts = {name: [r for r in part if id(r) in kept] for name, part in split.dev_parts.items()}
    for name, part in parts.items():
        if len({row.label for row in part}) < 2:
            raise InputError(
                f"{data.folds}, fold {data.fold}: {name} chooses the weights and has rows of one "
                "class at most; give the manifests that hold both collections, or another "
                "data.folds"
            )
    if data.train_size:
        train = nested_subset(train, data.train_size, seed)
    held = [row for row in texts if stable_share(row.group) < data.dev_share]
    dev_texts = list(held)
    random.Random(0).shuffle(dev_texts)
    taken = {id(row) for row in held}
    train += [row for row in texts if id(row) not in taken]
    if folds is not None and not (dev or dev_texts):
        raise InputError(
            f"{folds.name}, fold {data.fold}: nothing chooses the weights; give data.dev_share "
            "above 0, for lines, or a fold file with a development set"
        )
    return Split(train, dev + dev_texts[:_DEV_TEXTS], split.test, parts, names)


def draws_recordings(rows: Sequence[Row], data: DataConfig) -> bool:
    """Say whether a run that learns from the lines among `rows` draws recordings beside them."""
    return data.text_share < 1 or all(row.audio is not None for row in rows)


def choose_dev(rows: Sequence[Row], share: float, by: str = "group") -> set[str]:
    """Return the values of `by` whose rows make up about `share` of every class of `rows`."""
    return held_units(((row.key(by) or f"{row.clip}", row.label) for row in rows), share)


def nested_subset(rows: Sequence[Row], size: int, seed: int) -> list[Row]:
    """Return `size` of `rows`, as many of each class; a smaller size gives a subset of a larger.

    A class that has too few gives all it has.
    """

    def order(row: Row) -> str:
        where = row.columns.get("audio_filepath", row.clip.path.name)
        key = f"{seed}/{where}/{row.offset_s}"
        return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

    classes: dict[int, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=order):
        classes[row.label].append(row)
    kept = []
    for index, label in enumerate(sorted(classes)):
        count = size // len(classes) + (index < size % len(classes))
        kept += classes[label][:count]
    return kept


def _apart(rows: Sequence[Row], others: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """Return the rows that share no value of any of `columns` with any of the others."""
    left = list(rows)
    for column in columns:
        taken = {row.key(column) for row in others} - {None}
        left = [row for row in left if row.key(column) not in taken]
    return left


def _without_their_words(rows: Sequence[Row], met: Sequence[Row]) -> list[Row]:
    """Return `rows` without what the recordings `met` in a test or a look speak, and are about.

    Left out are all rows on their topic, recordings too; and of the rest every line of text and
    synthetic clip whose words are the true words of a recording. What people say in other
    recordings stays, be it the same "yes" or "stop": short answers are what everybody says, in
    either class, and who learns that "yes" is an answer has not learned a test.
    """
    names = {row.collection for row in met}
    sentences = {row.key("text") for row in met} - {None}
    return [
        row
        for row, is_known in zip(rows, on_topic(rows, names), strict=True)
        if not is_known
        and not (
            (row.audio is None or row.synthetic)
            and ({row.collection, row.text_source} & names or row.key("text") in sentences)
        )
    ]


def _of(rows: Sequence[Row], column: str, values: Sequence[str], labels: Sequence[str]) -> list:
    """Return the rows that have one of `values`, or with their label `VALUE:LABEL`."""
    wanted = set(values)
    return [
        row
        for row in rows
        if (value := row.key(column)) is not None
        and (value in wanted or f"{value}:{labels[row.label]}" in wanted)
    ]


def _by_file(rows: list[Row], folds: FoldFile, index: int, labels: Sequence[str]) -> Split:
    """Split the recordings by fold `index` of a file."""
    left = _less(rows, _of(rows, folds.column, folds.exclude, labels))
    test = _of(left, folds.column, folds.tests[index], labels)
    if folds.by_collection:  # what a manifest keeps for a test of its own is nobody's to learn
        left = [row for row in left if row.fold != "test"]
    left = _apart(_less(left, test), test, folds.keep_apart)
    parts = {
        " × ".join(values): _of(left, folds.column, values, labels) for values in folds.devs[index]
    }
    if parts:
        values = [value for part in folds.devs[index] for value in part]
        dev = _of(left, folds.column, values, labels)
    else:
        by = folds.dev_by
        named = [row for row in left if row.key(by)] if folds.dev_share else []
        dev_values = choose_dev(named, folds.dev_share, by)
        dev = [row for row in left if row.key(by) in dev_values]
    left = _apart(_less(left, dev), dev, folds.keep_apart)
    # One part is a whole, as ever.
    return Split(left, dev, test, parts if len(parts) > 1 else {})


def _less(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    gone = {id(row) for row in others}
    return [row for row in rows if id(row) not in gone]


def _by_manifest(rows: list[Row], share: float) -> Split:
    """Split the recordings as their manifests say; where these say nothing, take a share."""
    free = [row for row in rows if row.fold is None]
    dev_groups = choose_dev(free, share) if free else set()
    folds: dict[str, list[Row]] = {"train": [], "dev": [], "test": []}
    for row in rows:
        fold = row.fold or ("dev" if row.group in dev_groups else "train")
        if fold not in folds:
            raise InputError(f"{row.audio}: fold is {fold!r}; give train, dev or test")
        folds[fold].append(row)
    return Split(folds["train"], folds["dev"], folds["test"])
