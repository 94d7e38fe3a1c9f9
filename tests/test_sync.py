"""A sync against the sandbox, over real HTTP: the tables equal the service's own truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from trust import COLUMNS, row_of

from seqdata.client import SequenceClient
from seqdata.exceptions import GraphQLError, PagingError, RateLimited
from seqdata.ledger import Ledger, demo_settings
from seqdata.sandbox import Sandbox
from seqdata.sources.base import Window
from seqdata.sources.webapp.source import GraphQLSource
from seqdata.store import Store, SyncState
from seqdata.sync import SyncOptions, sync
from seqdata.sync.plan import Plan, decide

NOW = "2026-11-01"


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.demo(months=3, now=NOW) as ledger:
        yield ledger


@pytest.fixture
def box(ledger: Ledger) -> Sandbox:
    assert ledger.sandbox is not None
    return ledger.sandbox


def truth(box: Sandbox) -> dict[str, dict[str, Any]]:
    """The sandbox's own transfers as rows of the transfers table, by id."""
    return {row["id"]: row_of(row) for row in box.transfers()}


def table(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """The synced transfers as plain rows, by id."""
    frame = ledger.transfers
    columns = [name for name in frame.columns if name in COLUMNS]
    rows = frame[columns].astype("object").where(frame[columns].notna(), None)
    for name in ("created_at", "updated_at"):
        rows[name] = [moment.astimezone(UTC) for moment in rows[name]]
    return {row["id"]: row for row in rows.to_dict("records")}


# -- what is asked for ------------------------------------------------------------------------


def decided(state: SyncState, *, full: bool = False) -> Plan:
    month = timedelta(days=30)
    now = datetime(2026, 11, 2, tzinfo=UTC)
    return decide(state, overlap=month, rescan=3 * month, now=now, full=full)


def test_the_first_sync_reads_everything() -> None:
    """Without a finished sync everything is read."""
    assert decided(SyncState()).kind == "first"


def test_a_later_sync_reads_the_overlap_before_the_newest_known_transfer() -> None:
    """A later sync reads from the newest known transfer back over the overlap."""
    newest = datetime(2026, 11, 1, tzinfo=UTC)
    state = SyncState(last_full_at=newest, newest_created_at=newest)
    plan = decided(state)
    assert (plan.kind, plan.window.since) == ("recent", datetime(2026, 10, 2, tzinfo=UTC))


def test_full_reads_everything_again() -> None:
    """A full sync reads everything, whatever is known."""
    newest = datetime(2026, 11, 1, tzinfo=UTC)
    state = SyncState(last_full_at=newest, newest_created_at=newest)
    plan = decided(state, full=True)
    assert isinstance(plan, Plan)
    assert plan.window == Window()


# -- the tables equal the truth ---------------------------------------------------------------


def test_a_first_sync_of_the_default_world_equals_the_truth_field_by_field() -> None:
    """A full sync of the default world equals the sandbox's list, and so does one 10 days on."""
    with Ledger.demo(now=NOW) as ledger:
        box = ledger.sandbox
        assert box is not None
        report = ledger.sync(progress=False)
        assert table(ledger) == truth(box)
        assert report.is_complete
        assert report.requests <= math.ceil(report.rows / 100) + 3

        box.advance(days=10)
        later = ledger.sync(progress=False)
        assert table(ledger) == truth(box)
        assert later.is_complete
        assert later.kind == "recent"
        assert later.added > 0
        assert later.updated > 0
        assert later.requests < report.requests / 4


def test_observed_balances_equal_the_truth(ledger: Ledger, box: Sandbox) -> None:
    """Each balance the service sends is recorded to the cent, and an unknown one is NA, not 0."""
    ledger.sync(progress=False)
    accounts = ledger.accounts
    known = accounts.dropna(subset="balance_cents").set_index("id")["balance_cents"]
    today = {name: days["2026-10-31"] for name, days in box.balances().items() if name in known}
    assert known.to_dict() == today
    assert accounts["balance_cents"].isna().sum() == 1  # the manual account


def test_a_second_sync_with_nothing_new_changes_nothing(ledger: Ledger) -> None:
    """A sync twice is a sync once: nothing added, nothing changed, the same frame."""
    ledger.sync(progress=False)
    before = ledger.transfers
    report = ledger.sync(progress=False)
    assert (report.added, report.updated) == (0, 0)
    assert ledger.transfers.equals(before)


def test_an_old_open_transfer_is_read_again(tmp_path: Path) -> None:
    """A transfer that is open and older than the overlap is asked for by itself."""
    with Sandbox(months=3, now=NOW) as box:
        client = SequenceClient(box.issue_token(), settings=demo_settings(box, tmp_path))
        source = GraphQLSource(client, box.organization_id)
        store = Store.open(tmp_path, box.organization_id, app_url=box.app_url)
        sync(source, store)
        (open_id,) = (row["id"] for row in box.transfers() if row["status"] == "UNDER_REVIEW")
        box.advance(days=10)
        box.clear_requests()
        sync(source, store, SyncOptions(overlap=timedelta(days=5)))
        asked = [r for r in box.requests() if "Drawer" in (r["operation"] or "")]
        assert open_id in {request["variables"]["id"] for request in asked}
        rows = store.read_transfers(columns=["id", "status"]).to_pylist()
        assert {row["id"]: row["status"] for row in rows} == {
            row["id"]: row["status"] for row in box.transfers()
        }


# -- page sizes -------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "asked"), [("refuse", {100, 50, 25}), ("clamp", {100})])
def test_a_page_size_is_found_by_trial_in_each_sync(
    tmp_path: Path, mode: str, asked: set[int]
) -> None:
    """A service with pages of 25 is read whole; what it refuses once it may give another time."""
    world = Sandbox(months=2, now=NOW, page_cap=25, page_cap_mode=mode)
    with world as box, Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
        for _ in range(2):
            box.clear_requests()
            report = ledger.sync(progress=False)
            assert (report.page_size, report.is_complete) == (min(asked), True)
            variables = [request["variables"] or {} for request in box.requests()]
            assert {given["first"] for given in variables if "first" in given} == asked


# -- bad luck ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["repeated_cursor", "empty_page"])
def test_pages_that_do_not_follow_each_other_stop_the_sync(
    ledger: Ledger, box: Sandbox, fault: str
) -> None:
    """A repeated cursor, or an empty page that claims a successor, stops the sync and says so."""
    box.fail(fault, operation="ActivityLogV2Transfers", after=2)
    with pytest.raises(PagingError, match="read before it stay on disk"):
        ledger.sync(progress=False)
    assert len(ledger.transfers) >= 200
    assert ledger.sync(progress=False).is_complete
    assert table(ledger) == truth(box)


@pytest.mark.parametrize("fault", ["errors_with_data", "errors_without_data"])
def test_graphql_errors_stop_the_sync_and_lose_nothing(
    ledger: Ledger, box: Sandbox, fault: str
) -> None:
    """Errors in an answer, with or without data beside them, stop the sync; pages stay."""
    box.fail(fault, operation="ActivityLogV2Transfers", after=2, code="FORBIDDEN")
    with pytest.raises(GraphQLError):
        ledger.sync(progress=False)
    assert len(ledger.transfers) == 200
    assert ledger.sync(progress=False).is_complete


def test_a_long_retry_after_is_raised_with_its_time(ledger: Ledger, box: Sandbox) -> None:
    """A Retry-After of an hour is not sat out: the error names it."""
    box.fail("rate_limit", retry_after=3600)
    with pytest.raises(RateLimited, match="3600 seconds"):
        ledger.sync(progress=False)


@pytest.mark.parametrize("fault", ["cut", "server_error", "unauthorized"])
def test_a_passing_fault_is_survived(ledger: Ledger, box: Sandbox, fault: str) -> None:
    """A cut connection, a 500 and a 401 in the middle of a sync leave a complete table."""
    box.fail(fault, operation="ActivityLogV2Transfers", after=1)
    assert ledger.sync(progress=False).is_complete
    assert table(ledger) == truth(box)


def test_an_interrupted_first_sync_goes_on_from_its_last_page(ledger: Ledger, box: Sandbox) -> None:
    """A first sync that stopped goes on behind its last page instead of beginning anew."""
    box.fail("errors_without_data", operation="ActivityLogV2Transfers", after=3, code="FORBIDDEN")
    with pytest.raises(GraphQLError):
        ledger.sync(progress=False)
    box.advance(days=2)
    report = ledger.sync(progress=False)
    assert report.kind == "resumed"
    assert report.is_complete
    assert table(ledger) == truth(box)
