"""What is new or different since a moment, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from seqdata.core.text import format_cents, printable

#: What is told of a transfer that changed, in this order, and how it is called.
_TOLD = {
    "state": "state",
    "amount_cents": "amount",
    "created_at": "created",
    "source_name": "from",
    "destination_name": "to",
    "description": "description",
    "error_reason": "reason",
}

_COLUMNS = ["at", "what", "thing", "id", "sentence"]

_WORDS = {
    "what": ["new", "changed", "removed", "back", "opened", "renamed", "closed"],
    "thing": ["transfer", "account"],
}


def changes(
    transfers: pd.DataFrame,
    transfer_history: pd.DataFrame,
    accounts: pd.DataFrame,
    account_names: pd.DataFrame,
    *,
    since: datetime,
) -> pd.DataFrame:
    """Tell what is new or different since a moment.

    Parameters
    ----------
    transfers
        All transfers, removed ones included, with ``first_seen_at``, ``changed_at`` and
        ``removed_at``.
    transfer_history
        Their earlier versions, with ``valid_from`` and ``valid_until``.
    accounts
        Accounts with ``first_seen_at``, ``changed_at`` and ``closed_at``.
    account_names
        What accounts were called before: ``id``, ``name`` and ``valid_until``.
    since
        With a zone. What was first seen, changed or gone after it is told: since the moment of a
        sync, what later ones found.

    Returns
    -------
    DataFrame
        Newest first: ``at`` (datetime64[us, zone], when it was so for the source), ``what``
        (category: new, changed, removed, back, opened, renamed, closed), ``thing`` (category:
        transfer, account), ``id`` (str) and ``sentence`` (str).
    """
    told = [
        *_of_transfers(transfers, transfer_history, since),
        *_of_accounts(accounts, account_names, since),
    ]
    found = pd.DataFrame(told, columns=_COLUMNS)
    zone = transfers["changed_at"].dt.tz
    found["at"] = pd.to_datetime(found["at"], utc=True).dt.tz_convert(zone).dt.as_unit("us")
    for name in ("what", "thing"):
        found[name] = pd.Categorical(found[name], categories=_WORDS[name])
    found = found.astype({"id": "str", "sentence": "str"})
    return found.sort_values(["at", "id"], ascending=[False, True], ignore_index=True)


def _of_transfers(
    present: pd.DataFrame, past: pd.DataFrame, since: datetime
) -> Iterator[tuple[Any, ...]]:
    moved = past["valid_until"] > since
    touched = {*present.loc[present["changed_at"] > since, "id"], *past.loc[moved, "id"]}
    versions = pd.concat(
        [
            past[past["id"].isin(touched)].assign(at=past["valid_from"]),
            present[present["id"].isin(touched)].assign(at=present["changed_at"]),
        ]
    ).sort_values(["id", "at"], kind="stable")
    before: dict[Any, Any] = {}
    for row in versions.to_dict("records"):
        old = before if before.get("id") == row["id"] else {}
        before = row
        if row["at"] > since:
            what, words = _change(old, row)
            yield row["at"], what, "transfer", row["id"], f"{_transfer(row)}{words}"


def _change(old: dict[Any, Any], row: dict[Any, Any]) -> tuple[str, str]:
    if not old:
        return "new", f" ({row['state']})"
    if pd.notna(row["removed_at"]):
        return "removed", ": gone from the service"
    if pd.notna(old["removed_at"]):
        return "back", ": there again"
    differing = [
        f"{called} {_word(name, old[name])} → {_word(name, row[name])}"
        for name, called in _TOLD.items()
        if _word(name, old[name]) != _word(name, row[name])
    ]
    return "changed", f": {', '.join(differing) or 'updated'}"


def _transfer(row: dict[Any, Any]) -> str:
    ends = " to ".join(
        _word(f"{end}_name", row[f"{end}_name"]) for end in ("source", "destination")
    )
    return f"{_word('amount_cents', row['amount_cents'])} from {ends}"


def _word(name: str, value: Any) -> str:
    if pd.isna(value):
        return "unknown" if name == "amount_cents" else "nothing"
    if name == "amount_cents":
        return format_cents(int(value))
    if name == "created_at":
        return f"{value:%Y-%m-%d %H:%M}"
    return printable(str(value))


def _of_accounts(
    accounts: pd.DataFrame, names: pd.DataFrame, since: datetime
) -> Iterator[tuple[Any, ...]]:
    for row in accounts.to_dict("records"):
        called = f"{row['kind']} {printable(str(row['name']))}"
        if row["first_seen_at"] > since:
            yield row["first_seen_at"], "opened", "account", row["id"], f"{called} is new"
        if pd.notna(row["closed_at"]) and row["closed_at"] > since:
            yield row["closed_at"], "closed", "account", row["id"], f"{called} is closed"
    called_now = dict(zip(accounts["id"], accounts["name"], strict=True))
    lately = names[names["valid_until"] > since].sort_values(["id", "valid_until"])
    for row in lately[::-1].to_dict("records"):
        now = called_now.get(row["id"])
        if now is not None and row["name"] != now:
            words = f"{printable(str(row['name']))} is called {printable(str(now))} now"
            yield row["valid_until"], "renamed", "account", row["id"], words
        called_now[row["id"]] = row["name"]
