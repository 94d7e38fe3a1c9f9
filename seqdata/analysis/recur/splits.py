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


def port_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what share of a deposit each port passes on at once, and to whom.

    Parameters
    ----------
    rows
        Transfers with ``effective_at``.

    Returns
    -------
    DataFrame
        Of each port, the largest first: ``port_id``, ``port``, ``other_id``, ``other`` (name),
        ``direction``, and where the share begins and ends in the whole: ``before`` and ``until``,
        from 0 to at most 1. The sums over the last six deposits of half a year say it. A port
        that keeps more than a tenth has no rows.
    """
    is_recent = rows["created_at"] >= rows["created_at"].max() - _PAST
    recent = rows[is_recent.to_numpy()]
    deposit = deposits_of(recent)
    counted = np.flatnonzero(deposit >= 0)
    port = pd.factorize(recent["source_id"].iloc[counted])[0]
    is_new = _are_last(deposit[counted], port, utc(recent["effective_at"]))
    passed, deposit, port = recent.iloc[counted[is_new]], deposit[counted[is_new]], port[is_new]
    part = pd.factorize(passed["destination_id"], use_na_sentinel=False)[0]
    part = pd.factorize(port * (part.max(initial=0) + 1) + part)[0]
    cents = recent["amount_cents"].to_numpy(np.int64, na_value=0)
    sums = np.bincount(part, weights=passed["amount_cents"].to_numpy(np.int64))
    causes, place = np.unique(deposit, return_index=True)
    whole = np.bincount(port[place], weights=cents[causes], minlength=port.max(initial=-1) + 1)
    newest = np.zeros(len(sums), np.int64)
    newest[part] = np.arange(len(part))
    names = passed.iloc[newest]
    shares = pd.DataFrame(
        {
            "port_id": names["source_id"].to_numpy(),
            "port": names["source_name"].to_numpy(),
            "other_id": names["destination_id"].to_numpy(),
            "other": names["destination_name"].to_numpy(),
            "direction": names["direction"].astype("str").to_numpy(),
        }
    )
    return _in_order(shares, port[newest], sums / whole[port[newest]])


def _are_last(deposit: Any, port: Any, arrived: Any) -> Any:
    """Tell which rows pass on one of the last deposits of their port."""
    causes, place = np.unique(deposit, return_index=True)
    order = np.lexsort((arrived[causes], port[place]))
    ends = np.cumsum(np.bincount(port[place]))
    later = np.empty(len(causes), np.int64)
    later[order] = ends[port[place][order]] - 1 - np.arange(len(order))
    return later[np.searchsorted(causes, deposit)] < _DEPOSITS


def _in_order(shares: pd.DataFrame, port: Any, share: Any) -> pd.DataFrame:
    """Lay the shares of each port that passes on what it gets one after the other."""
    whole = np.bincount(port, weights=share)[port]
    share = share / np.where((np.abs(whole - 1) <= _EXACT) | (whole > 1), whole, 1)
    order = np.lexsort((-share, port))
    order = order[whole[order] >= 1 - _KEPT]
    until = np.cumsum(share[order])
    first = np.flatnonzero(np.diff(port[order], prepend=-1))
    starts = np.append(0, until)[first]
    until = np.round(until - np.repeat(starts, np.diff(np.append(first, len(order)))), 12)
    before = np.append(0, until[:-1])[: len(order)]
    before[first] = 0
    ordered: pd.DataFrame = shares.iloc[order].reset_index(drop=True)
    return ordered.assign(before=before, until=until)


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
