"""What is expected in the next days, and what it leaves in each pod and port."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.occurrences import other_parties
from seqdata.analysis.recur.projection import projected_balances, running_short
from seqdata.analysis.recur.recurring import as_dates, local_day
from seqdata.analysis.recur.rule import occurrences
from seqdata.analysis.settlement import is_open, places_of
from seqdata.sources.vocabulary import State

__all__ = ["projected_balances", "running_short", "upcoming"]

BASES = ("pending", "recurring")

#: Banking days that money on its way takes, where the service does not say.
_ARRIVAL = 3

_COLUMNS = [
    "date", "account_id", "account", "payee", "direction", "expected_cents", "low_cents",
    "high_cents", "basis", "id",
]  # fmt: skip


def upcoming(
    rows: pd.DataFrame,
    recurring_frame: pd.DataFrame,
    *,
    now: datetime,
    days: int = 30,
    legs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the movements that are expected, by day: what is on its way, and what recurs.

    Parameters
    ----------
    rows
        Transfers with ``payee`` and ``effective_at``.
    recurring_frame
        As :func:`seqdata.analysis.recurring` gives it, best with `include_internal`:
        each move between pods is then two rows, one for each of them.
    now
        The moment of the last sync, with a zone.
    days
        How far to look; the last day is included.
    legs
        Payment legs, for the day on which the service expects money to arrive; without one
        it is the third banking day after the creation.

    Returns
    -------
    DataFrame
        ``expected_cents`` is signed as the account sees it; ``low_cents`` and ``high_cents``
        are a spread below and above. What is on its way is known: all three are its amount,
        unless fewer than 9 in 10 such transfers completed (low is zero) or fewer than half
        (expected is zero, too). What was due and has not been seen yet is expected today.
        Outgoing transfers on their way are not listed: they have left their pod. Nothing
        counts twice, for a pending transfer is an occurrence of its series, whose next date
        is a later one.
    """
    today = local_day(now, rows)
    parts = [
        _pending(rows, legs, today),
        _leaving_or_arriving(recurring_frame, today, today + days),
        _arriving_inside(recurring_frame, rows, today, today + days),
    ]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    found = found[found["day"] <= today + days]
    order = ["day", "account_id", "payee", "expected_cents", "direction", "id"]
    found = found.sort_values(order, kind="stable").reset_index(drop=True)
    found["date"] = as_dates(found["day"].to_numpy(np.int64))
    found["basis"] = pd.Categorical(found["basis"], categories=list(BASES))
    found["direction"] = found["direction"].astype("category")
    return with_dollars(found[_COLUMNS])


def _pending(rows: pd.DataFrame, legs: pd.DataFrame | None, today: int) -> pd.DataFrame:
    known = rows["amount_cents"].notna() & rows["created_at"].notna()
    waits = rows[is_open(rows) & known & (rows["direction"] == "INCOMING")]
    created = waits["created_at"].dt.tz_localize(None).to_numpy("datetime64[D]")
    day = np.busday_offset(created, _ARRIVAL, roll="forward").astype(np.int64)
    if legs is not None:
        day = _promised(waits["id"], legs, day)
    amount = waits["amount_cents"].to_numpy(np.int64)
    success = _success(rows, waits)
    expected, low = np.where(success >= 0.5, amount, 0), np.where(success >= 0.9, amount, 0)
    return _movements(
        day=np.maximum(day, today),
        account_id=waits["destination_id"],
        account=waits["destination_name"],
        payee=other_parties(waits),
        direction=waits["direction"].astype("str"),
        amounts=(expected, low, amount),
        basis="pending",
        ids=waits["id"],
    )


def _success(rows: pd.DataFrame, waits: pd.DataFrame) -> Any:
    """Return the share of earlier transfers of the same parties and kind that completed, else 1."""
    keys = ["payee", "destination_id", "kind"]
    comes_in = rows[(rows["direction"] == "INCOMING").to_numpy()]
    similar = comes_in[comes_in["destination_id"].isin(waits["destination_id"])]
    past = _named(similar[~is_open(similar)], keys)
    share = past["is_complete"].groupby([past[key] for key in keys]).mean()
    wanted = pd.MultiIndex.from_frame(_named(waits, keys)[keys])
    return share.reindex(wanted).fillna(1).to_numpy(np.float64)


def _named(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    texts = rows.assign(payee=other_parties(rows))[keys].astype("str").fillna("")
    return texts.assign(is_complete=rows["state"] == State.SETTLED)


def _promised(ids: pd.Series[Any], legs: pd.DataFrame, otherwise: Any) -> Any:
    """Return the day on which the service expects each transfer, else the other one."""
    wanted = legs["leg"].isin(["payment", "push"]) & legs["expected_on"].notna()
    chosen = legs[wanted.to_numpy()]
    promised = chosen["expected_on"].to_numpy("datetime64[D]").astype(np.int64)
    places = places_of(ids, chosen["id"])
    return np.where(places >= 0, np.append(promised, 0)[places], otherwise)


def _leaving_or_arriving(series: pd.DataFrame, today: int, until: int) -> pd.DataFrame:
    found, day = occurrences(series, today, until)
    sign = np.where(found["direction"] == "INCOMING", 1, -1)
    return _expected(found, day, sign, found["account_id"], found["account"], found["payee"])


def _arriving_inside(
    series: pd.DataFrame, rows: pd.DataFrame, today: int, until: int
) -> pd.DataFrame:
    """List the other side of the moves between pods."""
    found, day = occurrences(series[series["direction"] == "INTERNAL"], today, until)
    involved = rows[rows["destination_id"].isin(found["other_id"].unique())]
    newest = involved.sort_values("created_at").drop_duplicates("destination_id", keep="last")
    names = newest.set_index("destination_id")["destination_name"]
    name = found["other_id"].map(names).astype("str")
    return _expected(
        found, day, np.ones(len(found), np.int64), found["other_id"], name, found["account"]
    )


def _expected(
    found: pd.DataFrame, day: Any, sign: Any, account_id: Any, account: Any, payee: Any
) -> pd.DataFrame:
    usual = found["usual_cents"].to_numpy(np.int64)
    spread = found["spread_cents"].to_numpy(np.int64)
    ends = sign * np.maximum(usual - spread, 0), sign * (usual + spread)
    return _movements(
        day=day,
        account_id=account_id,
        account=account,
        payee=payee,
        direction=found["direction"].astype("str"),
        amounts=(sign * usual, np.minimum(*ends), np.maximum(*ends)),
        basis="recurring",
        ids=pd.Series(None, index=found.index, dtype="str"),
    )


def _movements(
    *, day: Any, account_id: Any, account: Any, payee: Any, direction: Any, amounts: Any,
    basis: str, ids: Any,
) -> pd.DataFrame:  # fmt: skip
    expected, low, high = (pd.array(cents, dtype="Int64") for cents in amounts)
    return pd.DataFrame(
        {
            "day": np.asarray(day, np.int64),
            "account_id": account_id.array,
            "account": account.array,
            "payee": payee.array,
            "direction": direction.array,
            "expected_cents": expected,
            "low_cents": low,
            "high_cents": high,
            "basis": basis,
            "id": ids.array,
        }
    )
