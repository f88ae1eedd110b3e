"""Running means of what a step reports, and their curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_NEW = 0.05
"""Share of the newest step in a running mean."""


class Scalars:
    """Means stay on the device until somebody looks: reading one waits for the GPU."""

    def __init__(self, folder: Path | None) -> None:
        """Write curves to `folder`; None writes none."""
        self.folder = folder
        self.names: tuple[str, ...] = ()
        self.means: Tensor | None = None
        self._writer: SummaryWriter | None = None

    def add(self, values: dict[str, Tensor]) -> None:
        """Take the `values` of one step; their names are the same in every step."""
        self.names = tuple(values)
        newest = torch.stack([value.detach().float() for value in values.values()])
        self.means = newest if self.means is None else self.means.lerp(newest, _NEW)

    def read(self) -> dict[str, float]:
        """Return the running means."""
        if self.means is None:
            return {}
        return dict(zip(self.names, self.means.tolist(), strict=True))

    def write(self, step: int, group: str, values: dict[str, float]) -> None:
        """Append a point to the curves `group/name`."""
        if self.folder is None:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # Points after `step` are of an interrupted run: they come again.
            self._writer = SummaryWriter(str(self.folder), purge_step=step)
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Flush the curves."""
        if self._writer is not None:
            self._writer.close()
