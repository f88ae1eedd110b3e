"""A threshold for a wanted error rate, and a model package that carries it."""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.unicode_text import json_text
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import BinaryItems, Row
from turbo_stream.evaluation.figures._stream_figures import Recording
from turbo_stream.evaluation.figures.binary import ErrorCurve, error_rates
from turbo_stream.evaluation.figures.bootstrap import Figures, WeightedBinary, bootstrap, intervals

_TARGET = re.compile(r"(fa|fr)=(0?\.\d+|[01](?:\.0*)?)")
CARD_NAME = "README.md"

_SHOWN = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""False accepts at which a trade-off is shown."""

_BAD = 0.5
"""Where the rate that pays for a target is above this, tossing a coin would do better."""


@dataclass(frozen=True)
class Target:
    """Hold one error rate at or below a limit, and make the other as small as that allows."""

    held: Literal["fa", "fr"]
    """`fa` false accepts, `fr` false rejects."""

    limit: float
    """In [0, 1)."""

    text: str
    """As written: `fa=0.01`."""

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `fa=0.01` or `fr=0.01`; InputError for anything else."""
        found = _TARGET.fullmatch(text.strip())
        if found is None or not 0 <= float(found[2]) < 1:
            raise InputError(
                f"`tune` {text!r} is not understood; give fa=RATE or fr=RATE with a rate from 0 "
                "to below 1, such as fa=0.01"
            )
        held: Literal["fa", "fr"] = "fa" if found[1] == "fa" else "fr"
        return cls(held, float(found[2]), text.strip())

    @property
    def point_name(self) -> str:
        """Name of the operating point: `tuned-fa0.01`."""
        return f"tuned-{self.text.replace('=', '')}"


@dataclass(frozen=True)
class Tuned:
    """A threshold, and what it costs on the items that it was chosen on."""

    target: Target
    threshold: float
    false_accept: float
    false_reject: float
    threshold_ci95: list[float] | None
    """Where the threshold lands when it is chosen anew in each bootstrap draw."""
    false_accept_ci95: list[float] | None
    """Of this very threshold, as is the next."""
    false_reject_ci95: list[float] | None
    n: int
    n_directed: int

    @property
    def warning(self) -> str | None:
        """What to tell where the other rate pays too much for the one that is held; else None."""
        held, other, cost = "false accepts", "false rejects", self.false_reject
        if self.target.held == "fr":
            held, other, cost = other, held, self.false_accept
        if cost <= _BAD:
            return None
        return (
            f"`tune` {self.target.text} costs {cost:.0%} {other}: hardly of use. The scores of the "
            f"two classes overlap too much for so few {held}; allow more of them, train, or give "
            "the device a name"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dict, `target` as written."""
        return {**vars(self), "target": self.target.text}


def choose_threshold(rows: Sequence[Row], target: Target) -> Tuned:
    """Choose the threshold for `target` on the scored `rows`: clips, or events of recordings.

    It lies half way between the lowest score that is accepted and the next lower one, so that it
    does not hang on the score of a single item. The rates are those of the same items: on others
    expect somewhat more.

    Raises:
        InputError: a class is missing, or no threshold from 0 to 1 reaches the target.
    """
    items = BinaryItems.from_rows(item for item in _items(rows) if item.get("label"))
    curve = None if items is None else ErrorCurve.of(items.truths, items.scores)
    if items is None or curve is None:
        raise InputError(
            f"`tune` {target.text} needs scored items of both classes, directed and not; add the "
            "missing class to the manifest"
        )
    threshold = _threshold(curve, target)
    if threshold > 1:
        raise InputError(
            f"`tune` {target.text} cannot be reached: speech not meant for the device scores as "
            "high as 1; allow more false accepts or look at the worst mistakes"
        )
    false_accept, false_reject = error_rates(items.truths, items.scores, threshold)
    weighted = WeightedBinary(items.truths, items.scores, threshold)

    def of_weights(weights: NDArray[np.float64]) -> Figures:
        drawn = weighted.figures(weights)
        return {
            "threshold": _thresholds(weighted, weights, target),
            "false_accept": drawn["false_accept"],
            "false_reject": drawn["false_reject"],
        }

    ranges = intervals(items.groups, bootstrap(items.groups, of_weights))
    return Tuned(
        target=target,
        threshold=threshold,
        false_accept=float(false_accept or 0.0),
        false_reject=float(false_reject or 0.0),
        threshold_ci95=ranges["threshold"],
        false_accept_ci95=ranges["false_accept"],
        false_reject_ci95=ranges["false_reject"],
        n=len(items.scores),
        n_directed=int(items.truths.sum()),
    )


@dataclass(frozen=True)
class TradeOff:
    """One threshold, and both error rates at it."""

    threshold: float
    false_accept: float
    false_reject: float


def trade_off(rows: Sequence[Row], target: Target) -> list[TradeOff]:
    """Return what other thresholds than that of `target` cost on the scored `rows`, and its own.

    The strictest comes first. Empty where a class is missing; rates that few items cannot tell
    apart are one.
    """
    items = BinaryItems.from_rows(item for item in _items(rows) if item.get("label"))
    curve = None if items is None else ErrorCurve.of(items.truths, items.scores)
    if curve is None:
        return []
    places = sorted({curve.index_at_false_accept(limit) for limit in _SHOWN} | {_at(curve, target)})
    thresholds = _between(curve.thresholds)
    return [
        TradeOff(
            float(thresholds[at]), float(curve.false_accept[at]), float(curve.false_reject[at])
        )
        for at in places
        if thresholds[at] <= 1
    ]


def write_tuned_package(package: ModelPackage, tuned: Tuned, out: Path) -> ModelPackage:
    """Copy `package` to the new folder `out` with `tuned` as a further operating point.

    The folder appears whole or not at all. The default threshold stays as it is; the model card
    gets a section on the new point, and its hash is written anew.

    Raises:
        InputError: `out` is there already and not empty, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"`model_out` {out} is there already; give a new folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
            folder = Path(temporary) / "package"
            _write_copy(package, tuned, folder)
            ModelPackage.load(folder)
            folder.rename(out)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"`model_out` {out} cannot be written ({reason})") from error
    return ModelPackage.load(out)


def _write_copy(package: ModelPackage, tuned: Tuned, folder: Path) -> None:
    folder.mkdir()
    for name in package.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.folder / name, folder / name)
    manifest = json.loads((package.folder / MANIFEST_NAME).read_bytes())
    name = tuned.target.point_name
    manifest["operating_points"][name] = {
        key: getattr(tuned, key) for key in ("threshold", "false_accept", "false_reject")
    }
    manifest["metrics"].setdefault("tuning", {})[name] = tuned.to_json()
    if CARD_NAME in package.files:
        with (folder / CARD_NAME).open("a", encoding="utf-8") as card:
            card.write(_card_section(tuned))
        manifest["files"][CARD_NAME] = file_hash(folder / CARD_NAME)
    text = json_text(manifest, indent=2, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def _card_section(tuned: Tuned) -> str:
    def rate(value: float, ends: list[float] | None) -> str:
        interval = f" (95 % interval {ends[0]:.2%} to {ends[1]:.2%})" if ends else ""
        return f"{value:.2%}{interval}"

    return (
        f"\n## Operating point `{tuned.target.point_name}`\n\n"
        f"Threshold {tuned.threshold:.6g}, chosen by `turbo-eval` for {tuned.target.text} on "
        f"{tuned.n} utterances of the user's own ({tuned.n_directed} directed). On these same "
        f"utterances: false accepts {rate(tuned.false_accept, tuned.false_accept_ci95)}, false "
        f"rejects {rate(tuned.false_reject, tuned.false_reject_ci95)}.\n"
    )


def _items(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if row.get("events") is None:
            yield row
        else:
            yield from Recording.from_row(row).event_items()


def _threshold(curve: ErrorCurve, target: Target) -> float:
    return float(_between(curve.thresholds)[_at(curve, target)])


def _at(curve: ErrorCurve, target: Target) -> int:
    if target.held == "fa":
        return curve.index_at_false_accept(target.limit)
    return curve.index_at_false_reject(target.limit)


def _thresholds(
    weighted: WeightedBinary, weights: NDArray[np.float64], target: Target
) -> NDArray[np.float64]:
    """Return the threshold of each draw, chosen as `_threshold` does; NaN where undefined."""
    false_accept, false_reject = weighted.curves(weights)
    held, other = (
        (false_accept, false_reject) if target.held == "fa" else (false_reject, false_accept)
    )
    costs = np.where(held <= target.limit, other, np.inf)
    if target.held == "fa":
        at = np.argmin(costs, axis=1)
    else:
        at = costs.shape[1] - 1 - np.argmin(costs[:, ::-1], axis=1)
    undefined = np.isnan(false_accept[:, -1] + false_reject[:, -1])
    return np.where(undefined, np.nan, np.minimum(_between(weighted.thresholds)[at], 1.0))


def _between(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each point of a curve a threshold between its score and the next lower one.

    `scores`, `[M]`, fall and begin with infinity: the point of accepting nothing, which gets a
    threshold just above the highest score. The last point gets its own score.
    """
    upper = scores.copy()
    upper[0] = math.nextafter(scores[1], math.inf)
    lower = np.append(scores[1:], scores[-1])
    middle = (upper + lower) / 2
    # Between neighbouring floats there is nothing: then only the upper one tells them apart.
    return np.where(middle > lower, middle, upper)
