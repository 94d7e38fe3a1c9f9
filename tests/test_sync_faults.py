"""Each fault of the sandbox meets a sync: a typed error or a recovery, and tables intact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from full_disk import full_disk
from trust import NOW, Desk, held, leftovers, tables, truth

from seqdata.exceptions import (
    ConnectionFailed,
    FolderNotWritable,
    GraphQLError,
    HTTPError,
    PagingError,
    RateLimited,
    SequenceError,
    Unauthorized,
    UnexpectedAnswer,
)
from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.kinds import KINDS
from seqdata.sandbox.faults.lies import LIES

PAGES = "ActivityLogV2Transfers"
ACCOUNTS = "SelectSourceAndDestination"
DETAILS = "TransferReferenceDrawerContentV2"


@dataclass(frozen=True)
class Case:
    """A fault, and what a sync makes of it: an error, or a recovery (None).

    ``drift`` are the findings that the report then lists.
    """

    kind: str
    error: type[SequenceError] | None = None
    given: dict[str, Any] = field(default_factory=dict)
    drift: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join([self.kind, *(f"{k}={v}" for k, v in self.given.items())])


def case(
    kind: str, error: type[SequenceError] | None = None, drift: tuple[str, ...] = (), **given: Any
) -> Case:
    return Case(kind, error, {"operation": PAGES, "after": 1, **given}, drift)


FOREVER = 1_000

CASES = [
    # could not ask
    case("unauthorized"),
    case("unauthorized", Unauthorized, times=FOREVER),
    case("forbidden", HTTPError),
    case("rate_limit"),
    case("rate_limit", RateLimited, retry_after=3_600),
    case("server_error", times=2),
    case("server_error", HTTPError, times=FOREVER),
    case("bad_gateway", times=4),
    case("bad_gateway", HTTPError, times=FOREVER),
    case("cut", times=2),
    case("cut", ConnectionFailed, times=FOREVER),
    case("cut_after", times=2),
    case("cut_after", ConnectionFailed, times=FOREVER),
    case("cut_midway", times=2),
    case("cut_midway", ConnectionFailed, times=FOREVER),
    case("slow", seconds=0.2),
    case("errors_without_data"),
    case("errors_without_data", GraphQLError, times=FOREVER),
    case("errors_with_data"),
    case("errors_with_data", GraphQLError, times=FOREVER),
    case("errors_without_data", GraphQLError, times=FOREVER, code=""),
    case("errors_without_data", code="UNAUTHENTICATED"),
    case("errors_without_data", GraphQLError, times=FOREVER, code="UNAUTHENTICATED"),
    case("errors_without_data", GraphQLError, code="FORBIDDEN"),
    # words that mislead: what is wrong is found by trial
    case("errors_without_data", code="", after=0, message="Rate limit exceeded"),
    case("errors_without_data", code="", message="Try again after 2 seconds"),
    case("errors_without_data", code="", message="numberOfBanks: the page limit is reached"),
    case("wire", times=2, variant="bad_length"),
    case("wire", times=2, variant="stray_lines"),
    case("wire", times=2, variant="huge_headers"),
    case("wire", ConnectionFailed, times=FOREVER, variant="other_protocol"),
    # not understood
    case("truncated_json", UnexpectedAnswer),
    case("repeated_cursor", PagingError),
    case("empty_page", PagingError),
    # pages
    case("short_page"),
    case("short_page", rows=1, after=0),
    case("duplicate_row", after=0),
    case("expired_cursor", after=0),
    case("expired_cursor", times=2, after=0),
    case("expired_cursor", all=True, after=0),
    case("expired_cursor", times=FOREVER, after=0),
    case("no_count", after=0),
    case("no_count", variant="unknown", after=0),
    case("ignored_filter", after=0, times=FOREVER),
    # drift: the sync goes on
    case("unknown_value", drift=("status=TELEPORTED",)),
    case("unknown_value", drift=("direction=UP",), field="direction", value="UP"),
    case("missing_field", drift=("status: missing",)),
    case("missing_field", drift=("status: missing",), null=True),
    case("missing_field", drift=("amount: missing",), field="amount"),
    case("missing_field", drift=("amount.cents: missing",), field="amount.cents"),
    case("missing_field", drift=("createdAt: missing",), field="createdAt"),
    case("missing_field", drift=("description: missing",), field="description", row=None),
    case("changed_type", drift=("amount_cents: str",)),
    case("changed_type", drift=("amount_cents: float, unreadable",), field="amount.cents",
         to="float", row=None),
    case("changed_type", drift=("created_at: int, unreadable",), field="createdAt", to="epoch"),
    case("changed_type", drift=("status: list, unreadable",), field="status", to="list"),
    case("changed_type", drift=("amount: list, unreadable",), field="amount", to="list"),
    case("changed_type", drift=("source: list, unreadable",), field="source", to="list"),
    case("missing_field", UnexpectedAnswer, field="id"),
    case("changed_type", UnexpectedAnswer, field="id", to="object"),
    # the other operations
    case("forbidden", HTTPError, operation=ACCOUNTS, after=0),
    case("missing_field", UnexpectedAnswer, operation=ACCOUNTS, after=0, of="account", field="id"),
    case("missing_field", operation=ACCOUNTS, after=0, of="account", field="metadata"),
    case("changed_type", operation=ACCOUNTS, after=0, of="account", field="metadata.balance",
         to="list", drift=("balance: list, unreadable",)),
    case("changed_type", operation=ACCOUNTS, after=0, of="account", field="name", to="list",
         drift=("name: list, unreadable",)),
    case("truncated_json", UnexpectedAnswer, operation=DETAILS),
    case("changed_type", operation=DETAILS, field="details", to="list",
         drift=("details: list, unreadable",)),
    case("missing_field", UnexpectedAnswer, operation=DETAILS, field="id"),
    # the token
    case("server_error", HTTPError, operation="oauth/token", after=0, times=FOREVER),
]  # fmt: skip

#: What has its tests elsewhere: payments are the transfer desk's, and there are the lies.
ELSEWHERE = {"create_error", "contradiction", "payment_fails", "refused", "balance_error"} | {
    lie.kind for lie in LIES.values()
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """A month in four pages."""
    with Sandbox(months=1, now=NOW, page_cap=50, page_cap_mode="clamp") as box:
        yield box


@pytest.fixture
def desk(world: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A desk of a shared world in which nothing changes."""
    desk = Desk(world, tmp_path)
    yield desk
    world.clear_faults()
    desk.close()


def test_every_fault_of_the_sandbox_has_an_expectation() -> None:
    """A fault that is added to the sandbox needs a line in the table above."""
    assert {case.kind for case in CASES} | ELSEWHERE == set(KINDS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_ends_in_its_error_or_its_recovery(desk: Desk, case: Case) -> None:
    """A first sync that meets a fault names it or gets over it, and the next one is complete."""
    box = desk.box
    if case.given["operation"] == "oauth/token":
        box.expire_tokens()
    box.fail(case.kind, **case.given)
    details = {"details": "new", "max_requests": 3} if case.given["operation"] == DETAILS else {}
    if case.error is None:
        report = desk.sync(**details)
        assert set(case.drift) <= set(report.unknown_values)
        assert report.unknown_in.keys() == report.unknown_values.keys()
        assert report.unknown_in.items() <= desk.store.read_state().reported.items()
        said = {what: desk.store.evidence(where) for what, where in report.unknown_in.items()}
        assert all(said.values()), said
        assert held(desk.store).keys() == truth(box).keys()
    else:
        with pytest.raises(SequenceError) as caught:
            desk.sync(**details)
        assert type(caught.value) is case.error
    box.clear_faults()
    known = truth(box)
    if not case.drift:
        assert all(row == known[id] for id, row in held(desk.store).items())
    report = desk.sync(full=bool(case.drift) or case.kind == "no_count")
    assert report.is_complete
    assert held(desk.store) == known
    assert leftovers(desk.folder) == []
    before = tables(desk.store)
    desk.store.rebuild(desk.source())
    assert tables(desk.store) == before


@pytest.mark.parametrize(
    "kind", ["errors_without_data", "truncated_json", "cut", "repeated_cursor", "expired_cursor"]
)
def test_a_fault_of_a_later_sync_leaves_what_was_known(tmp_path: Path, kind: str) -> None:
    """A daily sync that fails takes nothing away, and the next one has it all."""
    with Sandbox(months=2, now=NOW, page_cap=25) as box:
        desk = Desk(box, tmp_path)
        desk.sync()
        before = truth(box)
        box.advance(days=5)
        box.fail(kind, times=FOREVER, operation=PAGES, after=1)
        with pytest.raises(SequenceError):
            desk.sync()
        after = truth(box)
        for id, row in held(desk.store).items():
            assert row in (before.get(id), after.get(id))
        box.clear_faults()
        assert desk.sync().is_complete
        assert held(desk.store) == after
        desk.close()


def test_cursors_that_always_expire_end_in_an_error_where_a_date_leads_no_further(
    tmp_path: Path,
) -> None:
    """Where a page holds less than the overlap of dates, the sync stops instead of circling."""
    with Sandbox(months=1, now=NOW, page_cap=10) as box:
        desk = Desk(box, tmp_path)
        box.fail("expired_cursor", times=FOREVER)
        with pytest.raises(GraphQLError):
            desk.sync()
        box.clear_faults()
        assert desk.sync().is_complete
        assert held(desk.store) == truth(box)
        desk.close()


def test_an_unknown_value_is_kept_as_it_came(desk: Desk) -> None:
    """A status that nobody has seen stands in the table, and its row counts as open."""
    desk.box.fail("unknown_value", operation=PAGES, value="TELEPORTED")
    desk.sync()
    assert "TELEPORTED" in [row["status"] for row in held(desk.store).values()]
    odd = {row["id"] for row in held(desk.store).values() if row["status"] == "TELEPORTED"}
    assert odd
    assert odd <= {id_ for id_, _ in desk.store.open_transfers()}
    desk.sync()
    assert held(desk.store) == truth(desk.box)


def test_a_lost_field_is_null_in_an_otherwise_whole_row(desk: Desk) -> None:
    """A row without its amount keeps everything else, and the amount is null and not zero."""
    for operation in (PAGES, DETAILS):
        desk.box.fail("missing_field", operation=operation, field="amount")
    desk.sync()
    known = truth(desk.box)
    (lost,) = (row for row in held(desk.store).values() if row["amount_cents"] is None)
    assert lost == {**known[lost["id"]], "amount_cents": None}


def test_an_answer_about_another_transfer_removes_nothing(desk: Desk) -> None:
    """A transfer asked for by its id counts as gone only where the service says null."""
    desk.sync()
    desk.box.fail("unknown_value", operation=DETAILS, field="id", value="somebody-elses")
    with pytest.raises(UnexpectedAnswer, match="the transfers asked for"):
        desk.sync(details="new", max_requests=1)
    assert held(desk.store) == truth(desk.box)


def test_a_lost_field_of_one_answer_is_asked_for_again(desk: Desk) -> None:
    """A row that came without its amount is asked for by its id, which has it."""
    desk.box.fail("missing_field", operation=PAGES, field="amount")
    assert "amount: missing" in desk.sync().unknown_values
    assert held(desk.store) == truth(desk.box)


def test_details_of_a_vanished_transfer_prove_nothing(tmp_path: Path) -> None:
    """Details that do not know a transfer leave it, until the count differs twice."""
    with Sandbox(months=1, now=NOW) as box:
        other = Desk(box, tmp_path)
        other.sync()
        oldest = box.transfers()[-1]["id"]
        box.advance(days=35)
        box.remove_transfers([oldest])
        report = other.sync(details="all", details_per_request=50, overlap=timedelta(days=1))
        assert (report.removed, report.is_complete) == ([], False)
        assert other.sync(overlap=timedelta(days=1)).removed == [oldest]
        assert held(other.store) == truth(box)
        other.close()


def test_a_transfer_that_moved_below_the_window_is_not_taken_for_removed(tmp_path: Path) -> None:
    """A row that left the window by another created_at is asked for by its id, and kept."""
    with Sandbox(months=3, now=NOW) as box:
        desk = Desk(box, tmp_path)
        desk.sync()
        moved = next(row["id"] for row in box.transfers() if row["status"] == "COMPLETE")
        box.move_created_at(moved, box.now - timedelta(days=60))
        report = desk.sync()
        assert (report.removed, report.moved) == ([], [moved])
        assert held(desk.store) == truth(box)
        desk.close()


# -- a full disk on our side ------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 2_000, 6_000])
@pytest.mark.parametrize("keep_answers", [True, False])
def test_a_full_disk_leaves_the_old_tables(
    world: Sandbox, tmp_path: Path, room: int, keep_answers: bool
) -> None:
    """A disk that fills up is named, the old tables stay, and with room again all is well."""
    with Sandbox(months=2, now=NOW) as box:
        desk = Desk(box, tmp_path)
        desk.sync(keep_answers=keep_answers)
        before = truth(box)
        box.advance(days=12)
        desk.source().fetch_accounts()  # the token file is written while there is room
        with full_disk(room), pytest.raises(FolderNotWritable):
            desk.sync(keep_answers=keep_answers)
        after = truth(box)
        for id, row in held(desk.store).items():
            assert row in (before.get(id), after.get(id))
        assert held(desk.store).keys() >= before.keys()
        assert desk.sync(keep_answers=keep_answers).is_complete
        assert held(desk.store) == after
        assert leftovers(tmp_path) == []
        desk.close()
