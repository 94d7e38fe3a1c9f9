"""Payments as a person would list them, and the transfers they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from seqdata import Ledger
from seqdata.analysis.settlement import settle

#: date, payee, cents.
Payment = tuple[str, str, int]


def table(payments: Sequence[Payment], **others: Any) -> pd.DataFrame:
    """Make transfers of payments; at noon, settled, from a pod to a merchant."""
    when = pd.to_datetime([f"{day}T12:00" for day, _, _ in payments]).astype("datetime64[us]")
    created = pd.Series(when).dt.tz_localize("America/New_York")
    payees = pd.Series([payee for _, payee, _ in payments], dtype="str")
    columns = {
        "created_at": created,
        "updated_at": created,
        "effective_at": created,
        "returned_at": created.where(created.isna()),
        "effective_basis": pd.Categorical(["said"] * len(payments)),
        "amount_cents": pd.array([cents for _, _, cents in payments], dtype="Int64"),
        "direction": "OUTGOING",
        "source_name": "Bills",
        "destination_name": payees,
        "state": "settled",
        "kind": "card",
        "source_party": "pod",
        "destination_party": "merchant",
        "id": pd.Series([str(place) for place in range(len(payments))], dtype="str"),
        "source_id": pd.Series("pod", index=created.index, dtype="str"),
        "destination_id": payees,
        "payee": payees,
        "category": pd.Categorical(["Home"] * len(payments)),
    }
    frame = pd.DataFrame(columns | others)
    for name in (
        "direction",
        "state",
        "kind",
        "effective_basis",
        "source_party",
        "destination_party",
    ):
        frame[name] = frame[name].astype("category")
    for name in ("source_name", "source_id", "destination_id"):
        frame[name] = frame[name].astype("str")
    return frame


def monthly(payee: str, day: int, cents: Sequence[int], first: str = "2026-01") -> list[Payment]:
    """Make one payment a month, each of the next amount."""
    months = pd.period_range(first, periods=len(cents), freq="M")
    return [
        (f"{month}-{min(day, month.days_in_month):02}", payee, amount)
        for month, amount in zip(months, cents, strict=True)
    ]


def payees_of(ledger: Ledger) -> pd.DataFrame:
    """Return a ledger's settled transfers with the other party's name as payee."""
    rows = settle(ledger.transfers, ledger.legs)
    comes_in = rows["direction"] == "INCOMING"
    payee = rows["source_name"].where(comes_in, rows["destination_name"])
    return rows.assign(payee=payee, category=pd.Categorical(["Any"] * len(rows)))
