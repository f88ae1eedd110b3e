"""From instructions to time on boards that are not here: an estimate, and what it assumes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Board:
    """A small computer, as far as the estimate knows it."""

    name: str
    cpu: str
    """QEMU's name of its processor."""

    clock_ghz: float

    instructions_per_cycle: tuple[float, float]
    """Assumed, from a poor to a good case. Dense INT8 loops reach the good one; what waits for
    memory, such as a decoder that reads all its weights for each token, the poor one."""

    def estimate_ms(self, instructions: float) -> tuple[float, float]:
        """Return from how many to how many milliseconds `instructions` may take on one core."""
        poor, good = self.instructions_per_cycle
        rate = self.clock_ghz * 1e6
        return instructions / (good * rate), instructions / (poor * rate)


BOARDS = (
    Board("Raspberry Pi 4", "cortex-a72", 1.8, (0.6, 1.5)),
    Board("Raspberry Pi 5", "cortex-a76", 2.4, (1.0, 2.5)),
)
