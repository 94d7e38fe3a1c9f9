"""An account for the documents: a sandbox, synced, in the place of a person's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqdata import Ledger, Sandbox


@pytest.fixture(scope="session")
def household() -> Iterator[Sandbox]:
    """Run the household that the documents show."""
    with Sandbox(seed=7, months=24, now="2026-11-01") as running:
        yield running


@pytest.fixture(scope="session")
def synced(household: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder that was synced from it once, to be copied."""
    folder = tmp_path_factory.mktemp("synced")
    with Ledger.demo(sandbox=household, folder=folder) as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
    return folder


@pytest.fixture
def account(
    household: Sandbox, synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Make the working directory a data folder, whose settings point at the sandbox."""
    folder = tmp_path / "account"
    shutil.copytree(synced, folder)
    for name, value in household.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return folder
