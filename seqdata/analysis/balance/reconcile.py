"""Where two observed balances disagree with the movements between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqdata.analysis.balance.walk import Known, Walk
from seqdata.analysis.columns import with_dollars
from seqdata.analysis.settlement import is_open, moments, settle, utc
from seqdata.core.text import format_cents
from seqdata.sources.vocabulary import State


def reconcile(
    transfers: pd.DataFrame,
    legs: pd.DataFrame,
    accounts: pd.DataFrame,
    balances: pd.DataFrame,
    *,
    complete_since: datetime | None = None,
) -> pd.DataFrame:
    """List where two observed balances disagree with the movements between them.

    Parameters
    ----------
    transfers, legs, accounts, balances, complete_since
        As for :func:`seqdata.analysis.balance_history`. With ``removed_at``, transfers that
        vanished from the service move nothing, and may explain a difference.

    Returns
    -------
    DataFrame
        One row a disagreement, newest first: ``account_id``, ``name``, ``kind``, ``since`` and
        ``until`` (the two observations next to each other that it lies between, tz-aware),
        ``observed_cents`` (what the balance changed by), ``moved_cents`` (what the known
        movements sum to), ``difference_cents`` (observed less moved) — all Int64, with dollars
        beside them —, ``candidates`` (Int64: how many transfers could explain it),
        ``candidate_ids`` (str: their ids, separated by spaces; one of exactly the missing
        amount first) and ``explanation`` (str, a sentence). Empty where all agrees.

        Transfers that could explain it touch the account in that time, and are open or of an
        unknown status, were removed, lack an amount, a moment or their payment's details.
        Outside accounts are not compared: they move without Sequence.
    """
    here = transfers
    if "removed_at" in transfers:
        here = transfers[transfers["removed_at"].isna()].reset_index(drop=True)
    known = Known(settle(here, legs), accounts, balances, complete_since, None)
    gaps = [gap for account in range(len(accounts)) for gap in _gaps(known, account)]
    doubtful = _doubtful(transfers if gaps else transfers[:0], legs)
    found = [_disagreement(gap, doubtful) for gap in gaps]
    frame = pd.DataFrame(found, columns=list(_DISAGREEMENT))
    for name in ("since", "until"):
        frame[name] = moments(frame[name].to_numpy("datetime64[us]"), known.zone)
    kinds = {"name": "category", "kind": "category", "candidates": "Int64"}
    texts = dict.fromkeys(("account_id", "candidate_ids", "explanation"), "str")
    frame = frame.astype({**texts, **kinds}).sort_values(
        ["until", "account_id"], ascending=[False, True], ignore_index=True
    )
    return with_dollars(frame)


_DISAGREEMENT = (
    "account_id", "name", "kind", "since", "until", "observed_cents", "moved_cents",
    "difference_cents", "candidates", "candidate_ids", "explanation",
)  # fmt: skip


class _Gap(NamedTuple):
    """Two observations of an account next to each other, and what moved in between, in cents."""

    account: pd.Series[Any]
    since: Any
    until: Any
    observed: int
    moved: int


def _gaps(known: Known, account: int) -> Iterator[_Gap]:
    """Yield where what was observed of an account is not what moved."""
    observed, complete_from = known.observed(account), known.complete_from(account)
    if observed is None or complete_from is None:
        return
    own = known.movements.of(account)
    walk = Walk(own, observed)
    at, cents = walk.observed.at, walk.observed.cents
    for place in np.flatnonzero(walk.gaps()):
        since, until = at[place], at[place + 1]
        if since >= complete_from:
            moved = own.cents[(own.at > since) & (own.at <= until)].sum()
            changed = cents[place + 1] - cents[place]
            yield _Gap(known.accounts.iloc[account], since, until, int(changed), int(moved))


def _disagreement(gap: _Gap, doubtful: pd.DataFrame) -> tuple[Any, ...]:
    facts, missing = gap.account, gap.observed - gap.moved
    candidates = _candidates(gap, doubtful)
    return (
        facts["id"], facts["name"], facts["kind"], gap.since, gap.until, gap.observed, gap.moved,
        missing, len(candidates), " ".join(candidates["id"]), _explanation(candidates, missing),
    )  # fmt: skip


def _doubtful(transfers: pd.DataFrame, legs: pd.DataFrame) -> pd.DataFrame:
    """Return the transfers of which it is not sure what they moved, each with its ``reason``."""
    found = transfers.assign(reason=_reasons(transfers, legs))
    return found[found["reason"] != ""]


def _candidates(gap: _Gap, doubtful: pd.DataFrame) -> pd.DataFrame:
    """Return the transfers that could explain a difference, those of its very amount first."""
    own_id = gap.account["id"]
    is_its = (doubtful["source_id"] == own_id) | (doubtful["destination_id"] == own_id)
    rows: Any = doubtful[is_its]
    created, updated = utc(rows["created_at"]), utc(rows["updated_at"])
    was_there = ~(created > gap.until) & ~((updated < gap.since) & ~is_open(rows).to_numpy())
    rows = rows[was_there]
    exact = (rows["amount_cents"] == abs(gap.observed - gap.moved)).fillna(value=False)
    marked: pd.DataFrame = rows.assign(exact=exact)
    return marked.sort_values(["exact", "created_at"], ascending=[False, False], kind="stable")


def _reasons(rows: pd.DataFrame, legs: pd.DataFrame) -> Any:
    """Say of each transfer why what it moved is not sure; "" where it is."""
    is_inside = (rows["direction"] == "INTERNAL") & (rows["state"] == State.SETTLED)
    lacks_details = ~rows["id"].isin(legs["id"]) & ~is_inside
    is_removed = rows["removed_at"].notna() if "removed_at" in rows else rows["id"].isna()
    return np.select(
        [
            is_removed,
            rows["amount_cents"].isna(),
            rows["created_at"].isna(),
            is_open(rows),
            lacks_details,
        ],
        ["removed", "no amount", "no moment", "open", "no details"],
        "",
    )


def _explanation(candidates: pd.DataFrame, missing: int) -> str:
    amount = format_cents(abs(missing))
    if candidates.empty:
        return (
            f"No transfer here explains {amount}: one may not be listed yet, or was removed. "
            "A full sync reads everything again."
        )
    first = candidates.iloc[0]
    exact = int(candidates["exact"].sum())
    if exact:
        more = f" (one of {exact} of this amount)" if exact > 1 else ""
        return f"A transfer of exactly {amount} is {_WORDS[first['reason']]}{more}."
    reasons = candidates["reason"].value_counts()
    return "; ".join(f"{count} {_WORDS[str(reason)]}" for reason, count in reasons.items()) + "."


_WORDS = {
    "removed": "removed: the service does not list it any more",
    "no amount": "without an amount",
    "no moment": "without a moment",
    "open": "open, so whether it has moved yet is not sure",
    "no details": "without fetched details, so its moment is an estimate",
}
