"""Whether two arms differ: paired, run by run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DRAWS = 10_000

TEST = "Wilcoxon signed-rank over fold x seed (two-sided)"


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean and standard deviation (n - 1) over runs; null for too few."""
    return {
        "mean": float(np.mean(values)) if values else None,
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
    }


def bootstrap_interval(folds: Sequence[NDArray[np.float64]], *, seed: int = 0) -> list[float]:
    """Return the 95 % percentile interval of the mean difference, from differences by fold.

    A fold has one difference a seed, `[S]`, or `[R, S]`: one under each of R drawings of its
    speakers. Hierarchical: folds are drawn with replacement, then within each drawn fold its
    seeds, and one drawing of its speakers for all of them, 10,000 times. Every fold counts alike.
    With three folds the upper level is coarse, and the interval is rather too narrow than too wide.
    """
    rng = np.random.default_rng(seed)
    means = np.empty((DRAWS, len(folds)))
    for place in range(len(folds)):
        drawn = rng.integers(len(folds), size=DRAWS)
        for fold, values in enumerate(folds):
            hit = np.flatnonzero(drawn == fold)
            count = values.shape[-1]
            seeds = rng.integers(count, size=(len(hit), count))
            table = np.atleast_2d(values)
            speakers = rng.integers(len(table), size=len(hit)) if len(table) > 1 else 0
            means[hit, place] = table[np.reshape(speakers, (-1, 1)), seeds].mean(axis=1)
    low, high = np.percentile(means.mean(axis=1), [2.5, 97.5])
    return [float(low), float(high)]


def _p(test: Any) -> float | None:
    return float(test.pvalue) if np.isfinite(test.pvalue) else None


def paired_difference(
    first: Mapping[tuple[int, int], float], second: Mapping[tuple[int, int], float]
) -> dict[str, Any] | None:
    """Return how much more `first` has than `second`, by runs of the same fold and seed.

    The mean is over folds of the mean over seeds. `p` is Wilcoxon's signed-rank test over all
    runs, `p_t` the paired t-test's. Both take the runs of a fold for independent, which they are
    not (they share test rows), so both are optimistic; `p_t_folds` is the t-test over one mean per
    fold, which is honest and, with few folds, weak. None where no run of both is there.
    """
    common = sorted(set(first) & set(second))
    if not common:
        return None
    folds = sorted({fold for fold, _ in common})
    by_fold = [np.array([first[key] - second[key] for key in common if key[0] == f]) for f in folds]
    every = np.concatenate(by_fold)
    differ = len(every) > 1 and bool(np.ptp(every) > 0)
    fold_means = np.array([values.mean() for values in by_fold])
    varied = len(folds) > 1 and bool(np.ptp(fold_means) > 0)
    return {
        "mean": float(fold_means.mean()),
        "ci95": bootstrap_interval(by_fold),
        "p": _p(stats.wilcoxon(every)) if np.any(every) else None,
        "test": TEST,
        "p_t": _p(stats.ttest_1samp(every, 0.0)) if differ else None,
        "p_t_folds": _p(stats.ttest_1samp(fold_means, 0.0)) if varied else None,
        "runs": len(every),
        "better": int((every > 0).sum()),
        "by_fold": {str(f): float(mean) for f, mean in zip(folds, fold_means, strict=True)},
    }
