"""Where two observed balances disagree with the movements between them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.walk import Known, Observations, Walk
from seqdata.analysis.columns import with_dollars
from seqdata.analysis.settlement import is_open, utc
from seqdata.money import format_cents


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
    known = Known(here, legs, accounts, balances, complete_since, None)
    known.listed = transfers
    found = [row for account in range(len(accounts)) for row in _disagreements(known, account)]
    frame = pd.DataFrame(found, columns=list(_DISAGREEMENT))
    zone = transfers["created_at"].dt.tz
    for name in ("since", "until"):
        column = pd.Series(pd.DatetimeIndex(frame[name]), dtype="datetime64[us]")
        frame[name] = column.dt.tz_localize("UTC").dt.tz_convert(zone)
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


def _disagreements(known: Known, account: int) -> list[tuple[Any, ...]]:
    observed, complete_from = known.observed(account), known.complete_from(account)
    if observed is None or complete_from is None:
        return []
    walk = Walk(known.movements.of(account), observed)
    return [
        _disagreement(known, account, walk.observed, int(place))
        for place in np.flatnonzero(walk.gaps())
        if walk.observed.at[place] >= complete_from
    ]


def _disagreement(
    known: Known, account: int, observed: Observations, place: int
) -> tuple[Any, ...]:
    since, until = observed.at[place], observed.at[place + 1]
    changed = int(observed.cents[place + 1] - observed.cents[place])
    own = known.movements.of(account)
    moved = int(own.cents[(own.at > since) & (own.at <= until)].sum())
    facts = known.accounts.iloc[account]
    candidates = _candidates(known, str(facts["id"]), since, until, changed - moved)
    return (
        facts["id"], facts["name"], facts["kind"], since, until, changed, moved, changed - moved,
        len(candidates), " ".join(candidates["id"]), _explanation(candidates, changed - moved),
    )  # fmt: skip


def _candidates(
    known: Known, account_id: str, since: Any, until: Any, missing: int
) -> pd.DataFrame:
    """Return the transfers that could explain a difference, those of its very amount first."""
    rows: Any = known.listed
    touched = (
        (rows["source_id"] == account_id) | (rows["destination_id"] == account_id)
    ).to_numpy()
    rows = rows[touched]
    created, updated = utc(rows["created_at"]), utc(rows["updated_at"])
    was_there = ~(created > until) & ~((updated < since) & ~is_open(rows).to_numpy())
    rows = rows[was_there]
    reasons = _reasons(rows, known.legs)
    rows = rows.assign(reason=reasons)[reasons != ""]
    exact = (rows["amount_cents"] == abs(missing)).fillna(value=False)
    marked: pd.DataFrame = rows.assign(exact=exact)
    return marked.sort_values(["exact", "created_at"], ascending=[False, False], kind="stable")


def _reasons(rows: pd.DataFrame, legs: pd.DataFrame) -> Any:
    """Say of each transfer why what it moved is not sure; "" where it is."""
    is_inside = (rows["direction"] == "INTERNAL") & (rows["status"] == "COMPLETE")
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
