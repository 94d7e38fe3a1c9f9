"""Accounts, details and legs on disk, and all tables as DataFrames."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from seqdata.store import (
    ACCOUNT_ROWS,
    ACCOUNTS,
    BALANCES,
    DETAILS,
    LEGS,
    TRANSFER_ROWS,
    Store,
    accounts_frame,
    balances_frame,
    transfers_frame,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
ZONE = "America/New_York"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, "org_1", app_url="https://app.example.com")


def rows(schema: pa.Schema, *given: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{"organization_id": "org_1", **each} for each in given], schema)


def accounts(*given: dict[str, Any]) -> pa.Table:
    return rows(ACCOUNT_ROWS, *given)


def test_accounts_are_kept_as_last_seen(store: Store) -> None:
    """A renamed account has its last name, and its first sight stays."""
    store.upsert_accounts(accounts({"id": "p", "name": "Rent"}), seen_at=NOON)
    report = store.upsert_accounts(accounts({"id": "p", "name": "Home"}), seen_at=LATER)
    assert report.changes.to_pylist() == [
        {"id": "p", "column": "name", "before": "Rent", "after": "Home"}
    ]
    found = store.read_accounts().to_pylist()[0]
    assert (found["name"], found["first_seen_at"], found["last_seen_at"]) == ("Home", NOON, LATER)
    assert store.read_accounts().schema == ACCOUNTS


def test_an_account_that_is_gone_is_closed_and_kept(store: Store) -> None:
    """A missing account gets closed_at once; when it is listed again it is open."""
    store.upsert_accounts(accounts({"id": "p"}, {"id": "q"}), seen_at=NOON)
    report = store.upsert_accounts(accounts({"id": "q"}), seen_at=LATER)
    assert (report.updated, report.unchanged) == (1, 1)
    store.upsert_accounts(accounts({"id": "q"}), seen_at=LATER + timedelta(days=1))
    assert store.read_accounts()["closed_at"].to_pylist() == [LATER, None]
    store.upsert_accounts(accounts({"id": "p"}), seen_at=LATER)
    assert store.read_accounts()["closed_at"].to_pylist()[0] is None


def test_details_replace_the_legs_of_their_transfer(store: Store) -> None:
    """New details of a transfer take the place of the old ones, legs included."""
    leg = {"id": "a", "leg": "pull", "expected_on": date(2026, 11, 3)}
    first = rows(DETAILS, {"id": "a", "kind": "compound"}, {"id": "b", "kind": "simple"})
    store.upsert_details(first, rows(LEGS, leg, {"id": "a", "leg": "push"}))
    store.upsert_details(rows(DETAILS, {"id": "a", "kind": "compound"}), rows(LEGS, leg))
    assert store.read_details()["id"].to_pylist() == ["a", "b"]
    assert store.read_legs().to_pylist() == [
        {**leg, "organization_id": "org_1", "status": None, "created_at": None}
        | {"completed_at": None, "state": "unknown"}
    ]


def test_a_frame_has_the_documented_dtypes(store: Store) -> None:
    """Moments carry the zone, cents are Int64 with dollars beside them, text is str or category,
    and what is missing is NA."""
    given = rows(
        TRANSFER_ROWS,
        {"id": "a", "amount_cents": -1, "status": "DONE", "description": "", "created_at": NOON},
        {"id": "b", "amount_cents": None, "created_at": None},
    )
    store.upsert_transfers(given, seen_at=NOON)
    frame = transfers_frame(store.read_transfers(), ZONE)
    assert frame.columns.tolist()[8:10] == ["amount_cents", "amount"]
    assert "removed_at" not in frame
    assert isinstance(frame.index, pd.RangeIndex)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["created_at"] == kinds["last_seen_at"] == f"datetime64[us, {ZONE}]"
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
        store.upsert_transfers(rows(TRANSFER_ROWS, row), seen_at=NOON)
    plain = transfers_frame(store.read_transfers(), ZONE)
    quick = transfers_frame(store.read_transfers(dictionaries=True), ZONE)
    pd.testing.assert_frame_equal(plain, quick)
    assert plain["status"].cat.categories.tolist() == ["DONE", "NEW"]


def test_empty_tables_make_frames_of_the_same_dtypes(store: Store) -> None:
    """Nothing synced yet gives frames without rows whose columns can be computed with."""
    frame = transfers_frame(store.read_transfers(dictionaries=True), ZONE)
    assert str(frame["created_at"].dtype) == f"datetime64[us, {ZONE}]"
    assert frame["amount_cents"].sum() == 0
    assert len(accounts_frame(store.read_accounts(), ZONE)) == 0


def test_removed_rows_are_told_apart(store: Store) -> None:
    """A frame with removed rows, or one that was asked for them, has removed_at."""
    store.upsert_transfers(rows(TRANSFER_ROWS, {"id": "a"}), seen_at=NOON)
    everything = store.read_transfers(include_removed=True)
    assert "removed_at" in transfers_frame(everything, ZONE, include_removed=True)
    store.mark_removed(["a"], LATER)
    assert "removed_at" in transfers_frame(store.read_transfers(include_removed=True), ZONE)


def test_balances_and_goals_have_dollars(store: Store) -> None:
    """Balances and goals come in cents and, beside them, in dollars."""
    balance = {"account_id": "p", "as_of": NOON, "balance_cents": 1234, "origin": "sync"}
    store.append_balances(rows(BALANCES, balance))
    store.upsert_accounts(accounts({"id": "p", "goal_cents": 500}), seen_at=NOON)
    assert balances_frame(store.read_balances(), ZONE)["balance"].tolist() == [12.34]
    assert accounts_frame(store.read_accounts(), ZONE)["goal"].tolist() == [5.0]
