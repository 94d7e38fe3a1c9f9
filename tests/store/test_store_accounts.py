"""Accounts, details and balances on disk, and all tables as DataFrames."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_kit import (
    HOUR,
    LAWS,
    NOON,
    deliver,
    deliver_accounts,
    deliver_details,
    detail,
    open_store,
    row,
    table,
    values,
)

from seqdata.sources.base import Snapshot
from seqdata.sources.rows import rows_of
from seqdata.sources.schemas import (
    ACCOUNT_ROWS,
    ACCOUNTS,
    BALANCES,
    DETAILS,
    LEGS,
)
from seqdata.store import Store
from seqdata.store.frames import frame as any_frame
from seqdata.store.frames import transfers_frame

LATER = NOON + timedelta(days=1)
ZONE = "America/New_York"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def accounts(*given: dict[str, Any]) -> pa.Table:
    return table(*given, schema=ACCOUNT_ROWS)


# -- accounts -------------------------------------------------------------------------------


def test_accounts_are_kept_as_last_seen(store: Store) -> None:
    """A renamed account has its last name, and its first sight stays."""
    deliver_accounts(store, accounts({"id": "p", "name": "Rent"}), at=NOON)
    report = deliver_accounts(store, accounts({"id": "p", "name": "Home"}), at=LATER)
    assert report.changes == (("p", "name", "Rent", "Home"),)
    found = store.read_accounts()
    assert found.schema == ACCOUNTS
    assert values(found, "name", "first_seen_at", "changed_at") == [("Home", NOON, LATER)]


def test_an_unchanged_account_changes_nothing(store: Store) -> None:
    """An account listed again as it was keeps the moment of its last change."""
    for at in (NOON, LATER):
        report = deliver_accounts(store, accounts({"id": "p", "name": "Rent"}), at=at)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    assert store.read_accounts()["changed_at"].to_pylist() == [NOON]
    assert len(store.evidence("p")) == 1


def test_an_account_that_was_made_in_another_month_is_published(store: Store) -> None:
    """What an account's created_at says may change: accounts are one table, whatever the month."""
    for at, made in ((NOON, NOON), (LATER, NOON - timedelta(days=90))):
        deliver_accounts(store, accounts({"id": "p", "created_at": made}), at=at)
    assert store.read_accounts()["created_at"].to_pylist() == [NOON - timedelta(days=90)]
    assert not store.publish()


def test_an_account_that_is_gone_is_closed_and_kept(store: Store) -> None:
    """An account that two lists miss an hour apart gets closed_at once; listed again it is open."""
    deliver_accounts(store, accounts({"id": "p"}, {"id": "q"}), at=NOON)
    for missed in (LATER - HOUR, LATER - HOUR / 2):
        report = deliver_accounts(store, accounts({"id": "q"}), at=missed)
        assert (report.updated, store.doubted("accounts")) == (0, ["p"])
    assert store.read_accounts()["missing_since"].to_pylist() == [LATER - HOUR, None]
    report = deliver_accounts(store, accounts({"id": "q"}), at=LATER)
    assert (report.updated, report.unchanged) == (1, 1)
    assert report.changes == (("p", "closed_at", None, "2026-11-02T12:00:00.000000+00:00"),)
    deliver_accounts(store, accounts({"id": "q"}), at=LATER + HOUR)
    assert store.read_accounts()["closed_at"].to_pylist() == [LATER, None]
    assert store.account_ids() == ["q"]
    deliver_accounts(store, accounts({"id": "p"}), at=LATER + 2 * HOUR)
    assert store.read_accounts()["closed_at"].to_pylist() == [None, None]
    assert store.account_ids() == ["p", "q"]


def end(which: str, party: str, name: str) -> dict[str, Any]:
    return {f"{which}_id": "p", f"{which}_party": party, f"{which}_name": name}


def test_a_renamed_account_is_shown_by_its_name_in_every_month(store: Store) -> None:
    """Transfers of all months show what an own account is called now, and none has a version."""
    deliver_accounts(store, accounts({"id": "p", "name": "Rent"}), at=NOON)
    given = [
        row("a", **end("source", "pod", "Rent")),
        row("b", "2026-09-01", **end("destination", "port", "Rent")),
        row("c", None, **end("source", "account", "Rent")),
        row("d", **end("source", "merchant", "Rent")),
    ]
    deliver(store, table(*given), at=NOON)
    deliver_accounts(store, accounts({"id": "p", "name": "Home"}), at=LATER)
    names = ("id", "source_name", "destination_name", "changed_at")
    shown = [
        ("a", "Home", None, NOON),
        ("d", "Rent", None, NOON),
        ("b", None, "Home", NOON),
        ("c", "Home", None, NOON),
    ]
    assert values(store.read_transfers(), *names) == shown
    assert store.read_history().num_rows == 0
    renamed = [{name: "Home" if value == "Rent" else value for name, value in each.items()}
               for each in given[:3]]  # fmt: skip
    report = deliver(store, table(*renamed), at=LATER)
    assert (report.updated, report.unchanged) == (0, 3)
    assert values(store.read_transfers(), *names) == shown


def test_an_account_that_is_new_is_shown_by_its_name(store: Store) -> None:
    """An account listed only after its transfers were read gives them the name it has now."""
    deliver(store, table(row("a", **end("source", "pod", "Rent"))), at=NOON)
    assert store.read_transfers()["source_name"].to_pylist() == ["Rent"]
    deliver_accounts(store, accounts({"id": "p", "name": "Home"}), at=LATER)
    assert store.read_transfers()["source_name"].to_pylist() == ["Home"]


# -- details --------------------------------------------------------------------------------


def test_details_replace_the_legs_of_their_transfer(store: Store) -> None:
    """New details of a transfer take the place of the old ones, legs included."""
    leg = {"id": "a", "leg": "pull", "state": "open", "expected_on": date(2026, 11, 3)}
    rule, by_hand = (
        {"id": id, "kind": kind, "fetched_at": NOON}
        for id, kind in (("a", "rule"), ("b", "by_hand"))
    )
    first = table(rule, by_hand, schema=DETAILS)
    legs = table(leg, {"id": "a", "leg": "push"}, schema=LEGS)
    deliver_details(store, table(row("a"), row("b")), first, legs)
    again = table(rule, schema=DETAILS)
    deliver_details(store, table(row("a")), again, table(leg, schema=LEGS))
    assert store.read_details()["id"].to_pylist() == ["a", "b"]
    assert store.read_details().schema == DETAILS
    assert store.read_legs().to_pylist() == [
        {**leg, "organization_id": "org_1", "status": None, "created_at": None}
        | {"completed_at": None}
    ]


def test_when_details_were_last_asked_for_is_kept(store: Store) -> None:
    """Details that are fetched again unchanged have the new moment, and no earlier version."""
    for at in (NOON, LATER):
        deliver_details(store, table(row("a")), *detail("a", "pull", at=at))
    assert store.read_details()["fetched_at"].to_pylist() == [LATER]
    assert [said["stream"] for said in store.evidence("a")] == ["details", "transfers"]


# -- balances -------------------------------------------------------------------------------


def balance(
    cents: int | None, at: datetime = NOON, origin: str = "sync", account: str = "p"
) -> dict[str, Any]:
    return {"account_id": account, "as_of": at, "balance_cents": cents, "origin": origin}


def stretches(store: Store) -> list[tuple[Any, ...]]:
    found = store.read_balances()
    assert found.schema == BALANCES
    return values(found, "account_id", "balance_cents", "as_of", "confirmed_at", "origin")


def append(store: Store, *given: dict[str, Any]) -> None:
    store.take(Snapshot([], rows_of(table(*given, schema=BALANCES)), NOON))


def test_equal_balances_lengthen_one_stretch(store: Store) -> None:
    """A balance that is what it was before only lengthens the time of that, of any account."""
    for number, cents in enumerate([1, 1, 1, None, None, 1]):
        at = NOON + number * HOUR
        append(store, balance(cents, at), balance(7, at, account="q"))
    assert stretches(store) == [
        ("p", 1, NOON, NOON + 2 * HOUR, "sync"),
        ("q", 7, NOON, NOON + 5 * HOUR, "sync"),
        ("p", None, NOON + 3 * HOUR, NOON + 4 * HOUR, "sync"),
        ("p", 1, NOON + 5 * HOUR, NOON + 5 * HOUR, "sync"),
    ]


def test_a_balance_of_one_moment_is_replaced(store: Store) -> None:
    """Balances are added; a second one of the same account and moment takes its place."""
    append(store, balance(1), balance(None, account="q"))
    append(store, balance(5, NOON - HOUR))
    append(store, balance(2))
    found = [(account, cents, at) for account, cents, at, *_ in stretches(store)]
    assert found == [("p", 5, NOON - HOUR), ("p", 2, NOON), ("q", None, NOON)]


def test_a_sync_never_replaces_a_statement(store: Store) -> None:
    """Of one account and moment, a statement stays, whichever came first, until a later one."""
    append(store, balance(1))
    append(store, balance(2, origin="statement"), balance(3))
    append(store, balance(4))
    assert stretches(store) == [("p", 2, NOON, NOON, "statement")]
    append(store, balance(5, origin="statement"))
    assert stretches(store) == [("p", 5, NOON, NOON, "statement")]
    store.add_statement("p", NOON, 6)
    assert stretches(store) == [("p", 6, NOON, NOON, "statement")]


def test_a_statement_is_a_stretch_of_its_own(store: Store) -> None:
    """A statement between two syncs of one balance neither lengthens it nor cuts it in two."""
    append(store, balance(1))
    store.add_statement("p", NOON + HOUR, 1)
    append(store, balance(1, NOON + 2 * HOUR))
    assert stretches(store) == [
        ("p", 1, NOON, NOON + 2 * HOUR, "sync"),
        ("p", 1, NOON + HOUR, NOON + HOUR, "statement"),
    ]


def test_a_balance_delivered_twice_shortens_no_stretch(store: Store) -> None:
    """What was delivered before may come again: how long a balance was seen so stays."""
    append(store, balance(1))
    append(store, balance(1, NOON + HOUR))
    append(store, balance(1))
    assert stretches(store) == [("p", 1, NOON, NOON + HOUR, "sync")]


def test_a_statement_of_a_stretchs_first_moment_leaves_the_rest_of_it(store: Store) -> None:
    """What a statement says of the first moment of a stretch is said of that moment alone."""
    for number in range(3):
        append(store, balance(1, NOON + number * HOUR))
    store.add_statement("p", NOON, 2)
    assert stretches(store) == [
        ("p", 2, NOON, NOON, "statement"),
        ("p", 1, NOON + timedelta(microseconds=1), NOON + 2 * HOUR, "sync"),
    ]


SEEN = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from(["sync", "sync", "statement"])),
    max_size=10,
)


@LAWS
@given(seen=SEEN)
def test_each_observed_balance_is_in_a_stretch(
    tmp_path_factory: pytest.TempPathFactory, seen: Any
) -> None:
    """Seen in the order of time, with statements noted at any time, a balance is what it was seen
    to be at each moment at which it was seen."""
    store = open_store(tmp_path_factory.mktemp("data"))
    syncs = sorted(
        ((hour, cents) for hour, cents, origin in seen if origin == "sync"), key=lambda one: one[0]
    )
    model = dict(syncs)
    waiting = iter(syncs)
    for hour, cents, origin in seen:
        if origin == "statement":
            store.add_statement("p", NOON + hour * HOUR, cents)
        else:
            hour_of, seen_then = next(waiting)
            append(store, balance(seen_then, NOON + hour_of * HOUR))
    model |= {hour: cents for hour, cents, origin in seen if origin == "statement"}
    found = store.read_balances().to_pylist()
    for hour, cents in model.items():
        at = NOON + hour * HOUR
        there = [each for each in found if each["as_of"] <= at <= each["confirmed_at"]]
        assert max(there, key=lambda each: (each["as_of"], each["origin"] == "statement"))[
            "balance_cents"
        ] == cents  # fmt: skip


# -- frames ---------------------------------------------------------------------------------


def test_a_frame_has_the_documented_dtypes(store: Store) -> None:
    """Moments carry the zone, cents are Int64 with dollars beside them, text is str or category,
    and what is missing is NA."""
    given = table(
        {"id": "a", "amount_cents": -1, "status": "DONE", "description": "", "created_at": NOON},
        {"id": "b", "amount_cents": None, "created_at": None},
    )
    deliver(store, given, at=NOON)
    frame = transfers_frame(store.read_transfers(), ZONE)
    assert frame.columns.get_loc("amount") == frame.columns.get_loc("amount_cents") + 1
    assert "removed_at" not in frame
    assert isinstance(frame.index, pd.RangeIndex)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["created_at"] == kinds["confirmed_at"] == f"datetime64[us, {ZONE}]"
    assert kinds["changed_at"] == kinds["first_seen_at"] == f"datetime64[us, {ZONE}]"
    assert (kinds["amount_cents"], kinds["amount"]) == ("Int64", "float64")
    assert (kinds["id"], kinds["status"], kinds["organization_id"]) == ("str", *["category"] * 2)
    assert frame["amount"].tolist()[0] == -0.01
    assert frame.isna().loc[1, ["amount", "amount_cents", "created_at", "status"]].all()
    assert frame["description"][0] == ""
    assert frame["created_at"][0] == pd.Timestamp("2026-11-01 07:00", tz=ZONE)


def test_dictionaries_make_the_same_frame(store: Store) -> None:
    """A table read with dictionaries gives the same frame as a plain one."""
    for number, status in enumerate(["NEW", "DONE", None]):
        created = NOON - timedelta(days=40 * number)
        row = {"id": str(number), "status": status, "created_at": created}
        deliver(store, table(row), at=NOON)
    plain = transfers_frame(store.read_transfers(), ZONE)
    quick = transfers_frame(store.read_transfers(dictionaries=True), ZONE)
    pd.testing.assert_frame_equal(plain, quick)
    assert plain["status"].cat.categories.tolist() == ["DONE", "NEW"]


def test_empty_tables_make_frames_of_the_same_dtypes(store: Store) -> None:
    """Nothing synced yet gives frames without rows whose columns can be computed with."""
    frame = transfers_frame(store.read_transfers(dictionaries=True), ZONE)
    assert str(frame["created_at"].dtype) == f"datetime64[us, {ZONE}]"
    assert frame["amount_cents"].sum() == 0
    assert len(any_frame(store.read_accounts(), ZONE)) == 0


def test_removed_rows_are_told_apart(store: Store) -> None:
    """A frame with removed rows, or one that was asked for them, has removed_at."""
    deliver(store, table({"id": "a"}), at=NOON)
    everything = store.read_transfers(include_removed=True)
    assert "removed_at" in transfers_frame(everything, ZONE, include_removed=True)
    store.mark_removed(["a"], LATER)
    assert "removed_at" in transfers_frame(store.read_transfers(include_removed=True), ZONE)


def test_balances_and_goals_have_dollars(store: Store) -> None:
    """Balances and goals come in cents and, beside them, in dollars."""
    append(store, balance(1234))
    deliver_accounts(store, accounts({"id": "p", "goal_cents": 500}), at=NOON)
    assert any_frame(store.read_balances(), ZONE)["balance"].tolist() == [12.34]
    assert any_frame(store.read_accounts(), ZONE)["goal"].tolist() == [5.0]
