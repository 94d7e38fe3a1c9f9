"""How each port passes on what it gets: the shares that its rules made of its last deposits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.settlement import utc
from seqdata.sources.vocabulary import RETURNED, Party

#: How far back deposits are looked for, how many of them count, and how soon after one the
#: rules have done their work.
_PAST, _DEPOSITS, _AT_ONCE = pd.Timedelta(days=180), 6, np.timedelta64(1, "D")

#: A port that keeps more than this of what it gets is not emptied by rules.
_KEPT = 0.1

#: What is left after rounding is part of the last share.
_EXACT = 0.005

_COLUMNS = ["port_id", "port", "other_id", "other", "direction", "before", "until"]


def port_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what share of a deposit each port passes on at once, and to whom.

    Parameters
    ----------
    rows
        Transfers with ``effective_at``.

    Returns
    -------
    DataFrame
        By port, the largest first: ``port_id``, ``port``, ``other_id``, ``other`` (name),
        ``direction``, and where the share begins and ends in the whole: ``before`` and ``until``,
        from 0 to at most 1. The sums over the last six deposits of half a year say it. A port
        that keeps more than a tenth has no rows.
    """
    is_recent = rows["created_at"] >= rows["created_at"].max() - _PAST
    recent = rows[is_recent.to_numpy()]
    deposit = deposits_of(recent)
    counted = np.flatnonzero(deposit >= 0)
    chosen, cause = recent.iloc[counted], recent.iloc[deposit[counted]]
    passed = pd.DataFrame(
        {
            "port_id": chosen["source_id"].to_numpy(),
            "port": chosen["source_name"].to_numpy(),
            "other_id": chosen["destination_id"].to_numpy(),
            "other": chosen["destination_name"].to_numpy(),
            "direction": chosen["direction"].astype("str").to_numpy(),
            "cents": chosen["amount_cents"].to_numpy(np.int64),
            "deposit": deposit[counted],
            "at": utc(cause["effective_at"]),
            "whole": cause["amount_cents"].to_numpy(np.int64),
        }
    )
    causes = passed.drop_duplicates("deposit").sort_values("at", kind="stable")
    causes = causes.groupby("port_id").tail(_DEPOSITS)
    passed = passed[passed["deposit"].isin(causes["deposit"])]
    parts = passed.groupby(["port_id", "other_id", "direction"], dropna=False, sort=False)
    shares = parts[["port", "other"]].last().assign(cents=parts["cents"].sum()).reset_index()
    shares["share"] = shares["cents"] / shares["port_id"].map(
        causes.groupby("port_id")["whole"].sum()
    )
    return _in_order(shares)


def _in_order(shares: pd.DataFrame) -> pd.DataFrame:
    """Lay the shares of each port that passes on what it gets one after the other."""
    whole = shares.groupby("port_id")["share"].transform("sum")
    shares["share"] /= whole.where(((whole - 1).abs() <= _EXACT) | (whole > 1), 1)
    shares = shares[(whole >= 1 - _KEPT).to_numpy()]
    order = ["port_id", "share", "other_id"]
    shares = shares.sort_values(order, ascending=[True, False, True], ignore_index=True)
    shares["until"] = shares.groupby("port_id")["share"].cumsum().round(12)
    shares["before"] = shares.groupby("port_id")["until"].shift(fill_value=0.0)
    return shares[_COLUMNS]


def part_of(cents: pd.Series[Any], shares: pd.DataFrame) -> Any:
    """Return the cents of each share; those of one deposit add up to it, if its shares do to 1."""
    whole = cents.to_numpy(np.int64)
    until, before = (np.rint(whole * shares[name].to_numpy()) for name in ("until", "before"))
    return (until - before).astype(np.int64)


def deposits_of(rows: pd.DataFrame) -> Any:
    """Return the place of the deposit that each transfer out of a port passes on; -1: of none.

    It is the last one that arrived at the port, at most a day before.
    """
    counts = (rows["amount_cents"].notna() & ~rows["state"].isin(RETURNED)).to_numpy()
    created, arrived = utc(rows["created_at"]), utc(rows["effective_at"])
    comes = counts & (rows["direction"] == "INCOMING").to_numpy() & ~np.isnat(arrived)
    comes = np.flatnonzero(comes & (rows["destination_party"] == Party.PORT).to_numpy())
    leaves = counts & (rows["source_party"] == Party.PORT).to_numpy() & ~np.isnat(created)
    leaves = np.flatnonzero(leaves)
    found = np.full(len(rows), -1)
    if not len(comes) or not len(leaves):
        return found
    ids = pd.concat([rows["destination_id"].iloc[comes], rows["source_id"].iloc[leaves]])
    port = pd.factorize(ids)[0]
    at = np.concatenate([arrived[comes], created[leaves]]).astype(np.int64)
    at -= at.min()
    keys = port * (at.max() + 1) + at
    order = np.argsort(keys[: len(comes)], kind="stable")
    place = np.searchsorted(keys[: len(comes)], keys[len(comes) :], side="right", sorter=order) - 1
    cause = comes[order[np.maximum(place, 0)]]
    is_its = (place >= 0) & (port[order[np.maximum(place, 0)]] == port[len(comes) :])
    is_its &= created[leaves] - arrived[cause] <= _AT_ONCE
    found[leaves[is_its]] = cause[is_its]
    return found
