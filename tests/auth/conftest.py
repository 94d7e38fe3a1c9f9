"""A sandbox of each test's own: logins change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seqdata.sandbox import Sandbox

#: Long, so that no test has to wait for the next code.
PERIOD = 600


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a sandbox whose one-time codes live ten minutes."""
    with Sandbox(months=1, now="2026-11-01") as running:
        running.login_variant(period=PERIOD)
        yield running
