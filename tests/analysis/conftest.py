"""Frames of made-up worlds, synced over real HTTP, for the analysis."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest

from seqdata import Ledger

SEEDS = range(1, 41) if os.environ.get("SEQDATA_SOAK") else (1, 7)


@dataclass
class World:
    """What a ledger knows of a world after several syncs, and the world's own books."""

    transfers: pd.DataFrame
    legs: pd.DataFrame
    details: pd.DataFrame
    accounts: pd.DataFrame
    balances: pd.DataFrame
    truth: dict[str, dict[str, int]]

    @property
    def inside(self) -> pd.DataFrame:
        return self.accounts[self.accounts["kind"] != "account"]


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed {seed}")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A household of four months, synced four times, with all details."""
    with Ledger.demo(seed=request.param, months=4, now="2026-11-01") as ledger:
        assert ledger.sandbox is not None
        for days, hours in ((0, 0), (2, 7), (9, 13), (4, 3)):
            ledger.sandbox.advance(days=days, hours=hours)
            ledger.sync(details="all", details_per_request=25, progress=False)
        yield World(
            ledger.transfers,
            ledger.legs,
            ledger.details,
            ledger.accounts,
            ledger.balances,
            ledger.sandbox.balances(),
        )
