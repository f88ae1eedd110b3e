"""The table as a page of Markdown."""

from __future__ import annotations

from typing import Any


def _percent(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"


def _spread(entry: dict[str, Any] | None) -> str:
    if not entry or entry["mean"] is None:
        return "–"
    std = "" if entry["std"] is None else f" ± {_percent(entry['std'])}"
    return f"{_percent(entry['mean'])}{std}"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _grid(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]


def _arm_rows(table: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, arm in table["arms"].items():
        inputs = [_spread(table["inputs"][mode].get(name)) for mode in ("audio", "text")]
        cost = arm["compute"]
        effort = f"{cost['optimizer_steps']:.0f} steps, {cost['seconds']:.0f} s"
        rows.append([name, _spread(arm), *inputs, str(len(arm["runs"])), effort])
    return rows


def _difference_rows(differences: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, found in differences.items():
        low, high = (_percent(edge, sign=True) for edge in found["ci95"])
        folds = ", ".join(_percent(value, sign=True) for value in found["by_fold"].values())
        better = f"{found['better']} of {found['runs']}"
        tests = [_p(found[key]) for key in ("p", "p_t", "p_t_folds")]
        mean = _percent(found["mean"], sign=True)
        rows.append([name, mean, f"{low} to {high}", folds, better, *tests])
    return rows


_DIFFERENCE_HEAD = [
    "difference",
    "mean",
    "95 % interval",
    "by fold",
    "better",
    "p (Wilcoxon)",
    "p (t)",
    "p (t, folds)",
]


def page(table: dict[str, Any]) -> str:
    """Return `table.md`: arms, differences, learning curve, inputs, and what was not run."""
    metric = table["metric"].replace("_", " ")
    lines = [
        f"# {table['recipe']}: {metric}, %",
        "",
        f"{len(table['folds'])} folds ({table['fold_file']}) × {len(table['seeds'])} seeds, "
        f"transcripts: {table['text']}. Mean ± standard deviation over runs. Commit "
        f"{table['commit']}; {table['hardware']}.",
        "",
    ]
    head = ["arm", "fused", "audio only", "text only", "runs", "a run"]
    lines += _grid(head, _arm_rows(table))
    lines += [
        "Paired differences (same fold, same seed, same batches); interval: hierarchical bootstrap "
        "over folds, then seeds, 10,000 draws. The runs of a fold share their test rows, so the "
        "tests over runs are optimistic; the last column has one value a fold.",
        "",
        *_grid(_DIFFERENCE_HEAD, _difference_rows(table["difference"])),
    ]
    curve = table["learning_curve"]
    if len(curve) > 1:
        arms = list(dict.fromkeys(arm for point in curve.values() for arm in point))
        rows = [[size, *(_spread(point.get(arm)) for arm in arms)] for size, point in curve.items()]
        lines += ["Training recordings, fused:", "", *_grid(["size", *arms], rows)]
        for size, differences in table["learning_curve_difference"].items():
            lines += [f"Differences at {size}:", ""]
            lines += _grid(_DIFFERENCE_HEAD, _difference_rows(differences))
    for text, other in table["transcripts"].items():
        rows = [[arm, _spread(entry)] for arm, entry in other["arms"].items() if entry["n"]]
        lines += [f"Transcripts: {text}", "", *_grid(["arm", "fused"], rows)]
        lines += _grid(_DIFFERENCE_HEAD, _difference_rows(other["difference"]))
    if table["not_run"]:
        lines += ["Not run:", "", *(f"- {item}" for item in table["not_run"]), ""]
    return "\n".join(lines)
