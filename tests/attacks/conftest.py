"""What attacks share: how many inputs each tries, and the account of them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass
class Attack:
    """One attack: where its inputs come from, and how many were tried.

    An input is made of its number alone, so that the one at which a test fails can be tried again
    with `--attack-from`.
    """

    name: str
    lasts_s: float
    first: int
    tried: int = 0
    took_s: float = 0.0

    def inputs(self, at_least: int) -> Iterator[np.random.Generator]:
        """Yield a source of chance for each input: `at_least`, and more while time lasts."""
        begun_s = time.monotonic()
        while self.tried < at_least or time.monotonic() - begun_s < self.lasts_s:
            self.tried += 1
            yield np.random.default_rng(self.first + self.tried - 1)
            self.took_s = time.monotonic() - begun_s


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Iterator[Attack]:
    """The account of this test's inputs."""
    config = request.config
    account = Attack(
        request.node.name, config.getoption("attack_s"), config.getoption("attack_from")
    )
    failed = request.session.testsfailed
    yield account
    print(f"the last input: --attack-from {account.first + account.tried - 1}")
    report = config.getoption("attack_report")
    if report is not None:
        line = {
            "attack": account.name,
            "inputs": account.tried,
            "seconds": round(account.took_s, 1),
            "held": request.session.testsfailed == failed,
        }
        with report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
