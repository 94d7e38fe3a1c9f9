"""Values that cannot be, in first and later syncs: in tables, in charts and on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from trust import SOAK

from seqdata.ledger import Ledger
from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.lies import LIES

FAMILIES = ("values that cannot be", "of another time", "other names and types")

#: What cannot be kept under an id ends in an error, and what is of the answer is no value.
OTHERS = {"id_half", "id_as_object", "rows_renamed", "pods_renamed"}

ODD = [
    lie
    for lie in LIES.values()
    if lie.family in FAMILIES and lie.name not in OTHERS and lie.kind != "wrong_header"
]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as box:
        yield box


@pytest.fixture
def ledger(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A new ledger of the sandbox, logged in."""
    token = f'{{"access_token": "{box.issue_token()}", "refresh_token": null, "expires_at": 4e9}}'
    (tmp_path / ".tokens.json").write_text(token)
    for name, value in box.environment().items():
        monkeypatch.setenv(name, value)
    with Ledger.open() as ledger:
        yield ledger


@pytest.mark.parametrize("name", [lie.name for lie in (ODD if SOAK else ODD[::3])])
def test_a_value_that_cannot_be_is_read_shown_and_drawn(
    box: Sandbox, ledger: Ledger, name: str
) -> None:
    """Whatever a field holds, first and later syncs keep the row, and it can be looked at."""
    truth = {row["id"]: row["amount_cents"] for row in box.transfers()}
    for _ in range(2):
        box.fail(**{**LIES[name].fault, "times": 1_000})
        ledger.sync(progress=False)
        box.clear_faults()
        assert set(ledger.transfers["id"]) == truth.keys()
    looked_at(ledger)
    ledger.sync(full=True, progress=False)
    assert ledger.transfers["amount_cents"].sum() == sum(truth.values())


def looked_at(ledger: Ledger) -> None:
    """Show the tables and draw what is drawn of them."""
    for frame in (ledger.transfers, ledger.accounts, ledger.balances):
        assert repr(frame)
        assert frame.to_csv().encode("utf-8", "strict")
    charts = [ledger.plot.balances, ledger.plot.spending]
    for chart in [*charts, ledger.plot.cash_flow] if SOAK else charts:
        assert chart().get_figure() is not None
