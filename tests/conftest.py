"""What every test starts from: no settings of the person who runs it, and one shared sandbox."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from waiting import PATIENCE

if TYPE_CHECKING:
    from seqdata.sandbox import Sandbox

# What a script starts in its background ignores interrupts, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more about the machine than about the code.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", CALM, max_examples=50)
settings.register_profile("ci", CALM, max_examples=50, derandomize=True)
settings.register_profile("soak", CALM, max_examples=1_000)
settings.load_profile(
    "soak" if os.environ.get("SEQDATA_SOAK") else "ci" if os.environ.get("CI") else "local"
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked as soak to `make soak`, and let nbval wait as long as any test does."""
    if not os.environ.get("SEQDATA_SOAK"):
        left = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = PATIENCE


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No SEQUENCE_* variable is set, and the working directory is an empty folder."""
    for name in [name for name in os.environ if name.startswith("SEQUENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # The command line sets the level of its logger; a test that ran it in this process did too.
    logging.getLogger("seqdata").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """Run a sandbox of three months that tests may read; one that changes things starts its own."""
    from seqdata.sandbox import Sandbox

    with Sandbox(seed=7, months=3, now="2026-11-01") as running:
        yield running
