"""What the rules did: which trigger moved how much where, and how often it failed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.periods import period_starts
from seqdata.analysis.settlement import places_of
from seqdata.sources.vocabulary import RETURNED, Kind, State

_KEYS = ["trigger_type", "trigger_cron", "source_key", "destination_key"]

_TAKEN = ["source_id", "source_name", "destination_id", "destination_name", "created_at"]

_COLUMNS = [
    "trigger_type", "trigger_cron", "source_name", "destination_name", "transfers", "moved_cents",
    "failed_transfers", "failed_cents", "success", "first_date", "last_date", "source_id",
    "destination_id",
]  # fmt: skip


def rules(transfers: pd.DataFrame, details: pd.DataFrame) -> pd.DataFrame:
    """List what each rule trigger moved from where to where, the largest sums first.

    Parameters
    ----------
    transfers
        As :attr:`Ledger.transfers` gives them; with ``returned_at``, what came back counts as
        failed.
    details
        As :attr:`Ledger.details` gives them. Of a transfer that has none, the trigger is not
        known: it is counted in a row without one.

    Returns
    -------
    DataFrame
        One row for each trigger (type and cron), source and destination, by id (an outside
        party without one: by name); names are the latest ones. ``transfers`` counts all of
        them, also those on their way. ``moved_cents`` sums what completed, ``failed_cents``
        what did not (``failed_transfers`` of them), and ``success`` is the share that completed
        of those that ended; NaN where none has.
    """
    made = _made_by_rules(transfers, details)
    groups = made.groupby(_KEYS, dropna=False, sort=False, observed=True)
    result = groups.agg(
        source_id=("source_id", "last"),
        destination_id=("destination_id", "last"),
        source_name=("source_name", "last"),
        destination_name=("destination_name", "last"),
        transfers=("created_at", "size"),
        moved_cents=("moved", "sum"),
        completed=("is_complete", "sum"),
        failed_transfers=("is_failed", "sum"),
        failed_cents=("lost", "sum"),
        first_date=("day", "min"),
        last_date=("day", "max"),
    ).reset_index()
    ended = (result["completed"] + result["failed_transfers"]).to_numpy(np.float64)
    ended[ended == 0] = np.nan
    result["success"] = result["completed"].to_numpy(np.float64) / ended
    for name in ("transfers", "failed_transfers"):
        result[name] = result[name].astype("Int64")
    known = sorted(result["trigger_type"].dropna().unique())
    # pandas makes objects of an empty list of categories when it reads Parquet.
    words = pd.Index(known, dtype="str" if known else "object")
    result["trigger_type"] = pd.Categorical(result["trigger_type"], categories=words)
    order = ["moved_cents", "failed_cents", *_KEYS]
    ranked = result.sort_values(order, ascending=[False, False, *[True] * 4], kind="stable")
    return with_dollars(ranked[_COLUMNS].reset_index(drop=True))


def _made_by_rules(transfers: pd.DataFrame, details: pd.DataFrame) -> pd.DataFrame:
    places = places_of(transfers["id"], details["id"])
    trigger_type = _looked_up(details["rule_trigger_type"], places)
    is_rule = (transfers["kind"] == Kind.RULE).to_numpy() | trigger_type.notna().to_numpy()
    made = transfers[is_rule]
    is_failed = made["state"].isin(RETURNED).to_numpy()
    if "returned_at" in made:
        is_failed = is_failed | made["returned_at"].notna().to_numpy()
    is_complete = (made["state"] == State.SETTLED).to_numpy() & ~is_failed
    cents = made["amount_cents"].to_numpy(np.int64, na_value=0)
    found = pd.DataFrame(
        {
            "trigger_type": trigger_type[is_rule].array,
            "trigger_cron": _looked_up(details["rule_trigger_cron"], places)[is_rule].array,
            "source_key": made["source_id"].fillna(made["source_name"]).array,
            "destination_key": made["destination_id"].fillna(made["destination_name"]).array,
            **{name: made[name].array for name in _TAKEN},
            "day": period_starts(made["created_at"], "day").array,
            "is_complete": is_complete,
            "is_failed": is_failed,
            "moved": np.where(is_complete, cents, 0),
            "lost": np.where(is_failed, cents, 0),
        }
    )
    return found.sort_values("created_at", kind="stable")


def _looked_up(column: pd.Series[Any], places: Any) -> pd.Series[Any]:
    """Return the value at each place as text; NA at -1."""
    texts: Any = column.astype("str").array
    return pd.Series(texts.take(places, allow_fill=True))
