"""What is expected in the next days, and what it leaves in each pod and port."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.amounts import with_amounts
from seqdata.analysis.recur.recurring import UNNAMED, Series, as_dates, find_series, local_day
from seqdata.analysis.recur.rule import occurrences
from seqdata.analysis.recur.series import other_parties
from seqdata.analysis.recur.splits import part_of, port_shares
from seqdata.analysis.settlement import is_open, places_of
from seqdata.sources.vocabulary import State

BASES = ("pending", "overdue", "recurring")


#: Days by which a turn may be off its line, and for which overdue income is still counted on.
_NEAR = 4

#: The longest that something overdue is waited for, in days; else half of its period.
_PATIENCE = 21

_COLUMNS = [
    "date", "account_id", "account", "payee", "direction", "expected_cents", "low_cents",
    "high_cents", "basis", "id", "split_into",
]  # fmt: skip


def upcoming(
    rows: pd.DataFrame,
    *,
    now: datetime,
    days: int = 30,
    legs: pd.DataFrame | None = None,
    include_internal: bool = False,
    series: Series | None = None,
) -> pd.DataFrame:
    """List what is expected to come in and go out: on its way, overdue, and what recurs.

    Parameters
    ----------
    rows
        Transfers with ``payee`` and ``effective_at``.
    now
        The moment of the last sync, with a zone.
    days
        How far to look; the last day is included.
    legs
        Payment legs, for the day on which the service expects money to arrive; without one
        it arrives after the usual delay of its payee, else three days after its creation.
    include_internal
        The moves between pods and ports too, each as two rows, one for each of them; and what
        the rules of a port make of a deposit, on its day.
    series
        As :func:`seqdata.analysis.recurring` takes it.

    Returns
    -------
    DataFrame
        ``expected_cents`` is signed as the account sees it; ``low_cents`` and ``high_cents``
        are a spread below and above. Of what recurs at amounts that vary it is the usual one, or
        the one of the last three turns, or the last one carried on by its steps, or the one of a
        year before at the level of this year: what would have predicted the last turns of the
        series best. What is on its way is known: all three are its amount,
        unless fewer than 9 in 10 such transfers completed (low is zero) or fewer than half
        (expected is zero, too). ``split_into`` (Int64) is the number of accounts to
        which the rules of its port pass a deposit on; 0 of all else.

        What was due and has not been seen is "overdue", and expected today, for half of its
        period and at most three weeks: a payment in full (high is zero), an income in full for
        4 days, and then in its high side alone; low is zero. Outgoing transfers on their way
        are not listed: they have left their pod. Nothing counts twice, for a pending transfer
        is an occurrence of its series, whose next date is a later one.
    """
    today = local_day(now, rows)
    found = moves_ahead(rows, series or find_series(rows, now), today, days, legs)
    if not include_internal:
        found = found[(~found["is_part"] & (found["direction"] != "INTERNAL")).to_numpy()]
    order = ["day", "account_id", "payee", "expected_cents", "direction", "id"]
    found = found.sort_values(order, kind="stable").reset_index(drop=True)
    found["date"] = as_dates(found["day"].to_numpy(np.int64))
    found["payee"] = found["payee"].where(found["payee"].str.strip() != "").fillna(UNNAMED)
    found["basis"] = pd.Categorical(found["basis"], categories=list(BASES))
    found["direction"] = found["direction"].astype("category")
    return with_dollars(found[_COLUMNS])


def moves_ahead(
    rows: pd.DataFrame,
    series: Series,
    today: int,
    days: int,
    legs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what :func:`upcoming` is made of, in no order, with all moves between pods.

    ``day`` is counted from 1970-01-01; ``is_part`` tells what the rules make of a deposit.
    """
    shares = port_shares(rows)
    due = _due(_without_splits(series.table, shares), today, today + days)
    due = with_amounts(due, series.turns, series.cents, series.number)
    waiting = _pending(rows, series.day, legs, today)
    parts = [waiting, _leaving_or_arriving(due), _arriving_inside(due)]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    found = found[(found["day"] <= today + days).to_numpy()].reset_index(drop=True)
    moves, deposit, leaves = _splits(found, shares)
    counts = np.bincount(deposit[leaves], minlength=len(found))
    found = found.assign(split_into=pd.array(counts, dtype="Int64"), is_part=False)
    nothing = pd.array(np.zeros(len(moves), np.int64), dtype="Int64")
    moves = moves.assign(split_into=nothing, is_part=True)
    whole = pd.concat([part for part in (found, moves) if len(part)] or [found])
    return whole.reset_index(drop=True)


def _pending(
    rows: pd.DataFrame, arrives: Any, legs: pd.DataFrame | None, today: int
) -> pd.DataFrame:
    known = rows["amount_cents"].notna() & rows["created_at"].notna()
    is_waiting = (known & (rows["direction"] == "INCOMING") & is_open(rows)).to_numpy()
    waits, day = rows[is_waiting], arrives[is_waiting]
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
    is_alike = (rows["direction"] == "INCOMING") & ~is_open(rows)
    is_alike &= rows["destination_id"].isin(waits["destination_id"])
    past = rows[is_alike.to_numpy()]
    whole = pd.concat([past, waits])
    alike = np.zeros(len(whole), np.int64)
    for key in (other_parties(whole), whole["destination_id"], whole["kind"]):
        codes = pd.factorize(key, use_na_sentinel=False)[0]
        alike = pd.factorize(alike * (codes.max(initial=0) + 1) + codes)[0]
    number, wanted = alike[: len(past)], alike[len(past) :]
    done = (past["state"] == State.SETTLED).to_numpy()
    length = alike.max(initial=-1) + 1
    times = np.bincount(number, minlength=length)
    completed = np.bincount(number, weights=done, minlength=length)
    return np.where(times > 0, completed / np.maximum(times, 1), 1)[wanted]


def _promised(ids: pd.Series[Any], legs: pd.DataFrame, otherwise: Any) -> Any:
    """Return the day on which the service expects each transfer, else the other one."""
    legs = legs[
        (places_of(legs["id"], ids) >= 0) & legs["leg"].isin(["payment", "push"]).to_numpy()
    ]
    chosen = legs[legs["expected_on"].notna().to_numpy()]
    promised = chosen["expected_on"].to_numpy("datetime64[D]").astype(np.int64)
    places = places_of(ids, chosen["id"])
    return np.where(places >= 0, np.append(promised, 0)[places], otherwise)


def _without_splits(series: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Leave out what the rules of a port make of its deposits: it follows from these."""
    is_split = series["account_id"].isin(shares["port_id"]) & (series["direction"] != "INCOMING")
    return series[~is_split.to_numpy()]


def _due(series: pd.DataFrame, today: int, until: int) -> pd.DataFrame:
    """Return a row for each time that a series is due: the day, and how long it was waited for.

    What is late counts today.
    """
    found, day = occurrences(series, today, until)
    due = found["next_date"].to_numpy("datetime64[D]").astype(np.int64)
    is_first = (day == today) & (due < today)
    parts = [
        found.assign(day=day, waited=np.where(is_first, today - due, 0)),
        _missed(series, today),
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _missed(series: pd.DataFrame, today: int) -> pd.DataFrame:
    """Return the series whose last turn has passed unseen, and is not given up yet."""
    going = series[(series["is_active"] & series["next_date"].notna()).to_numpy()]
    last, following = (
        going[name].to_numpy("datetime64[D]").astype(np.int64)
        for name in ("last_date", "next_date")
    )
    walked = going.assign(next_date=going["last_date"], place=np.arange(len(going)))
    since = int(last.min(initial=today))
    turns, day = occurrences(walked, since, int(following.max(initial=today)))
    place = turns["place"].to_numpy(np.int64)
    before, after = day <= following[place] - _NEAR, np.abs(day - following[place]) <= _NEAR
    newest = last.copy()
    np.maximum.at(newest, place[before], day[before])
    is_on_line = np.zeros(len(going), bool)
    is_on_line[place[after]] = True
    half = (following - newest) / 2
    waited = today - newest
    missed = is_on_line & (newest > last + half) & (following > today) & (waited > 0)
    missed &= waited <= np.minimum(half, _PATIENCE)
    late: pd.DataFrame = going[missed]
    return late.assign(day=today, waited=waited[missed])


def _leaving_or_arriving(due: pd.DataFrame) -> pd.DataFrame:
    sign = np.where(due["direction"] == "INCOMING", 1, -1)
    return _expected(due, sign, due["account_id"], due["account"], due["payee"])


def _arriving_inside(due: pd.DataFrame) -> pd.DataFrame:
    """List the other side of the moves between pods."""
    moves = due[(due["direction"] == "INTERNAL").to_numpy()].reset_index(drop=True)
    sign = np.ones(len(moves), np.int64)
    return _expected(moves, sign, moves["other_id"], moves["payee"], moves["account"])


def _expected(
    due: pd.DataFrame, sign: Any, account_id: Any, account: Any, payee: Any
) -> pd.DataFrame:
    usual = due["usual_cents"].to_numpy(np.int64)
    spread = due["spread_cents"].to_numpy(np.int64)
    waited = due["waited"].to_numpy(np.int64)
    ends = sign * np.maximum(usual - spread, 0), sign * (usual + spread)
    expected = np.where((sign > 0) & (waited > _NEAR), 0, sign * usual)
    # Whether what is late still comes is not known: both sides hold that it does not.
    low, high = np.minimum(*ends), np.maximum(*ends)
    low, high = (
        np.where((waited > 0) & (sign == kept), 0, side) for side, kept in ((low, 1), (high, -1))
    )
    return _movements(
        day=due["day"],
        account_id=account_id,
        account=account,
        payee=payee,
        direction=due["direction"].astype("str"),
        amounts=(expected, low, high),
        basis=np.where(waited > 0, "overdue", "recurring"),
        ids=pd.Series(None, index=due.index, dtype="str"),
    )


def _splits(found: pd.DataFrame, shares: pd.DataFrame) -> tuple[pd.DataFrame, Any, Any]:
    """Return what the rules make of deposits to ports: what leaves these, and what arrives.

    Second is the place of the deposit that each is a part of, third whether it leaves the port.
    """
    deposits = np.flatnonzero((found["direction"] == "INCOMING").to_numpy())
    port = found["account_id"].iloc[deposits].to_numpy(object)
    ports = shares["port_id"].to_numpy(object)
    which, share = np.nonzero(port[:, None] == ports)
    deposit = deposits[which]
    is_inside = (shares["direction"] == "INTERNAL").to_numpy()[share]
    # What leaves the port, then what arrives in a pod, is a row each.
    leaves = np.repeat([True, False], [len(deposit), is_inside.sum()])
    deposit = np.append(deposit, deposit[is_inside])
    share = np.append(share, share[is_inside])
    cause, part = found.iloc[deposit], shares.iloc[share]
    expected, low, high = (
        part_of(cause[name], part) for name in ("expected_cents", "low_cents", "high_cents")
    )
    sides = ((-expected, expected), (-high, low), (-low, high))
    own, other, port, name = (
        part[column].astype("str").to_numpy(object)
        for column in ("port_id", "other_id", "port", "other")
    )
    account_id, account, payee = (
        pd.Series(np.where(leaves, *pair), index=cause.index, dtype="str")
        for pair in ((own, other), (port, name), (name, port))
    )
    moves = _movements(
        day=cause["day"],
        account_id=account_id,
        account=account,
        payee=payee,
        direction=part["direction"].astype("str"),
        amounts=(np.where(leaves, *pair) for pair in sides),
        basis=cause["basis"].to_numpy(object),
        ids=pd.Series(None, index=cause.index, dtype="str"),
    )
    return moves, deposit, leaves


def _movements(
    *, day: Any, account_id: Any, account: Any, payee: Any, direction: Any, amounts: Any,
    basis: Any, ids: Any,
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
