"""What a ledger says once it is closed, and how what it gave reads as the last line of a cell."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from seqdata import Ledger
from seqdata.core.shown import NO_FORMULA
from seqdata.exceptions import LedgerClosed

#: What needs arguments: such as a person gives.
ASKED: dict[str, tuple[Any, ...]] = {
    "add_balance": ("Groceries", "2026-10-05", 1200),
    "compare": ("2026-10",),
    "explain_category": ("x",),
    "name_payee": ("Joe's", ["JOES"]),
    "evidence": ("x",),
    "export": ("mine.csv",),
    "history": ("x",),
    "reconcile_audit": (),
    "sql": ("SELECT 1",),
    "transfers_as_of": ("2026-10-01",),
    "annotate": ("x",),
}

#: What asks nothing of the ledger's folder or of the service.
HARMLESS = {
    "close", "open", "demo", "sandbox", "summary", "plot", "share_safe", "organization_id", "sent",
    "show",
}  # fmt: skip


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.demo(months=1, now="2026-11-01") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def closed() -> Ledger:
    with Ledger.demo(months=1, now="2026-11-01") as ledger:
        ledger.sync(progress=False)
    return ledger


PUBLIC = sorted(name for name in dir(Ledger) if not name.startswith("_") and name not in HARMLESS)


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_of_a_closed_ledger_says_that_it_is_closed(
    closed: Ledger, name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of a closed ledger, it says that it is closed, and logs in nowhere."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerClosed, match="This ledger is closed"):
        found = getattr(closed, name)
        if inspect.isroutine(found):
            found(*ASKED.get(name, ()))


def test_a_closed_ledger_shows_that_it_is_closed(closed: Ledger) -> None:
    """As the last line of a cell it says so, and closing it again is no error."""
    closed.close()
    assert "closed" in repr(closed)
    assert "open another one" in closed._repr_html_()


def test_a_closed_desk_sends_nothing_and_says_so(ledger: Ledger) -> None:
    """Staged before, confirmed after: a closed desk refuses by its own sentence."""
    desk, box = ledger.desk, ledger.sandbox
    staged = desk.stage("Bills", "Groceries", "1.00")
    desk.close()
    uses: list[Any] = [
        desk.look, desk.settle, lambda: desk.confirm(staged),
        lambda: desk.stage("Bills", "Groceries", "1.00"),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(LedgerClosed, match="This transfer desk is closed"):
            use()
    assert box is not None
    assert box.payments() == []


def test_a_last_line_reads_as_the_sentences_that_print_gives(ledger: Ledger) -> None:
    """Reports, certificates, limits and outcomes show their sentences, and no formula."""
    report = ledger.sync(progress=False)
    staged = ledger.desk.stage("Bills", "Groceries", "1.00", note="$1 <b>and</b> $2")
    outcome = ledger.desk.confirm(staged, dry_run=True)
    plain = [report, ledger.certificate(), ledger.details_cost(), ledger.desk.limits(), outcome]
    for one in plain:
        assert repr(one) == str(one)
    for one in [*plain, staged, ledger]:
        html = one._repr_html_()
        assert html.startswith(f"<div class='{NO_FORMULA}'>")
        assert "<b>" not in html
        assert f"{type(one).__name__}(" not in html
