"""Lives of a ledger in one process: one seed drives service, clock, network, disk and faults."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from simulated_deck import EVERY
from simulated_life import Life, lived
from trust import SOAK

SEEDS, STEPS = (200, 60) if SOAK else (5, 30)


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """How often each fault acted in the lives of this module."""
    return Counter()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_life_keeps_every_promise(seed: int, met: Counter[str]) -> None:
    """Whatever a seed lets happen, nothing false is shown, and after calm all is as it is."""
    life = Life(seed)
    try:
        lived(life, STEPS)
    except AssertionError as broken:
        pytest.fail(f"{broken}\nreplay: make simulate SEED={seed} STEPS={STEPS}", pytrace=False)
    met += life.counts


def test_every_fault_that_is_dealt_has_acted(met: Counter[str]) -> None:
    """Over the seeds each kind of fault acted, so that none is passed over unseen."""
    if not met["syncs"]:
        pytest.skip("the lives ran in another process, or not at all")
    dealt = EVERY[: SEEDS * (STEPS // 2)]  # a life deals a card at every second step
    print("\n".join(f"{met[name]:6} {name}" for name in dealt))
    assert [name for name in dealt if not met[name]] == []


def test_a_seed_replays_exactly() -> None:
    """Another process and a life among others print the same log, in whatever order sets are."""
    lines: list[str] = []
    lived(Life(3, lines.append), 12)
    assert len(lines) > 20
    for order in ("1", "2") if SOAK else ("1",):
        printed = subprocess.run(
            [sys.executable, str(Path(__file__).parent), "--seed", "3", "--steps", "12"],
            env={**os.environ, "PYTHONHASHSEED": order},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        assert printed.splitlines()[: len(lines)] == lines
