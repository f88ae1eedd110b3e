"""What a person sees of a run: a bar, a line of a table at each look, the figures in the end.

All figures are in `metrics.json`, and on the way in the curves for TensorBoard.
"""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from training.fitting.scoring import MODES

_WIDTH = 9
"""Of a column."""


class RunDisplay(Progress):
    """A bar on standard error; above it a table that grows by a line with each look."""

    def __init__(self, *, quiet: bool = False) -> None:
        """`quiet` shows nothing: the caller has many runs to show."""
        super().__init__(console=Console(stderr=True), disable=quiet)
        self._headed = quiet
        self._quiet = quiet

    def look(self, look: Mapping[str, float], *, best: bool) -> None:
        """Show what the trainer found at a step; `best` of all so far."""
        errors = [mode for mode in MODES if mode in look] or ["dev"]
        names = ["step", "loss", *errors]
        if not self._headed:
            self._headed = True
            self._line("errors on the development set, in percent; * the best so far", "dim")
            self._line("".join(name.rjust(_WIDTH) for name in names), "bold")
        cells = [f"{look['step']:.0f}", f"{look['loss']:.3f}" if "loss" in look else "-"]
        cells += [f"{100 * look[name]:.1f}" for name in errors]
        self._line("".join(cell.rjust(_WIDTH) for cell in cells) + (" *" if best else ""))

    def _line(self, text: str, style: str = "") -> None:
        if not self._quiet:
            self.console.print(Text(text, style), soft_wrap=True)


def summary(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a run's metrics what a person asks first."""
    found: dict[str, Any] = {
        "rows trained on": metrics["rows"],
        "steps": f"{metrics['steps']}, the best at {metrics['best_step']}",
        "time": f"{metrics['seconds']:.0f} s, {metrics['seconds_of_steps']:.0f} s of it steps",
    }
    for name, point in metrics.get("operating_points", {}).items():
        found[f"threshold {name}"] = (
            f"{point['threshold']:.4f}: false accepts {point['false_accept']:.1%}, "
            f"false rejects {point['false_reject']:.1%}"
        )
    for part in ("development", "test"):
        rows = [
            {
                "by": mode,
                "n": figures["n"],
                "balanced accuracy": f"{figures['balanced_accuracy']:.1%}",
                "equal error rate": _percent(figures.get("eer")),
                "95 %": " to ".join(map(_percent, figures.get("eer_ci95") or ())) or "-",
            }
            for mode, figures in metrics.get(part, {}).items()
        ]
        if rows:
            found[part] = rows
    return found


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
