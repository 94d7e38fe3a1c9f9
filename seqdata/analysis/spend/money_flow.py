"""Where money came from and where it went: income, ports, pods, categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.accounts import known_names, names_of, own_keys, shown_names
from seqdata.analysis.columns import say, with_dollars
from seqdata.analysis.spend.categories import MOVED, OTHER_INCOME
from seqdata.analysis.spend.spending import Spent, filter_spent, settled, spent, summed_by
from seqdata.core.moments import Moment
from seqdata.sources.vocabulary import INSIDE, OWN, Party

#: Payees of income that keep their name; the rest becomes "Other income".
MOST_PAYEES = 8

#: What a flow is named after that gives a pod more than it spent on a category.
REFUNDS = "Refunds"

_ORDER = ["income", "account", "port", "pod", "category"]
_SEEN = [
    "direction", "source_id", "source_name", "source_party", "destination_id", "destination_name",
    "destination_party", "payee", "category",
]  # fmt: skip
_ENDS = ["from", "from_kind", "to", "to_kind"]


def money_flow(
    rows: pd.DataFrame,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    accounts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return how much flowed from where to where, in the order of its way.

    Money comes from income or an own account outside of Sequence, reaches ports and pods, and
    leaves for categories of spending or own accounts. Moves between pods are left out, and so is
    what passes outside accounts alone. What flows into a pod need not be what flows out: its
    balance changes.

    Parameters
    ----------
    rows
        Transfers that were settled and categorized.
    since, until
        Bounds of the day of settlement; `until` is exclusive.
    accounts
        The accounts table, whose names are the newest.

    Returns
    -------
    DataFrame
        ``from_name``, ``from_kind``, ``to_name``, ``to_kind`` (text; kinds are income, port, pod,
        account and category), ``from_id`` and ``to_id`` (of accounts; else NA), ``moved_cents``
        (Int64, above zero), ``moved`` and ``transfers`` (Int64). Refunds and reversals are taken
        off; where they exceed what a pod spent on a category, the rest flows into the pod from
        "Refunds". Of more than eight payees of income the smaller ones are "Other income".
    """
    parts = [_incoming(rows, since, until), _to_pods(rows, since, until), _out(rows, since, until)]
    flows = pd.concat(parts, ignore_index=True)
    named = _named(
        flows[flows["moved_cents"] > 0], shown_names(known_names(rows, accounts), accounts)
    )
    return say(with_dollars(_in_order(named)), by_day="settled")


def _incoming(rows: pd.DataFrame, since: Moment | None, until: Moment | None) -> pd.DataFrame:
    """Sum what came in, refunds of merchants aside, by payee or own account."""
    arrives = (rows["direction"] == "INCOMING") & (rows["source_party"] != Party.MERCHANT)
    found = filter_spent(settled(rows, arrives.to_numpy()), rows, since, until)
    ends = rows[_SEEN].iloc[found.row]
    kinds = ends["source_party"].astype("str").where(lambda party: party == Party.ACCOUNT, "income")
    names = ends["payee"].fillna(ends["category"].astype("str"))
    names = names.where(kinds == "income", own_keys(ends["source_id"], ends["source_name"]))
    return _group_small(_summed(found, names, kinds, *_ours(ends, "destination")))


def _to_pods(rows: pd.DataFrame, since: Moment | None, until: Moment | None) -> pd.DataFrame:
    divided = (rows["source_party"] == Party.PORT) & (rows["destination_party"] == Party.POD)
    found = filter_spent(settled(rows, divided.to_numpy()), rows, since, until)
    ends = rows[_SEEN].iloc[found.row]
    return _summed(found, *_ours(ends, "source"), *_ours(ends, "destination"))


def _out(rows: pd.DataFrame, since: Moment | None, until: Moment | None) -> pd.DataFrame:
    """Sum spending and moves to own accounts, less what came back, by pod."""
    found = filter_spent(spent(rows, include_moves=True, by_day="settled"), rows, since, until)
    ends = rows[_SEEN].iloc[found.row]
    stays_outside = ~ends["source_party"].isin(INSIDE) & (ends["direction"] == "OUTGOING")
    passes = (stays_outside & (ends["category"] == MOVED)).to_numpy()
    found, ends = found.take(~passes), ends[~passes]
    is_refund = ends["direction"] == "INCOMING"
    (here, our_kind), (there, their_kind) = _ours(ends, "source"), _ours(ends, "destination")
    here, our_kind = here.mask(is_refund, there), our_kind.mask(is_refund, their_kind)
    is_moved = ends["category"] == MOVED
    theirs = own_keys(ends["destination_id"], ends["destination_name"].fillna(ends["payee"]))
    names = ends["category"].astype("str").mask(is_moved, theirs)
    kinds = pd.Series(np.where(is_moved, "account", "category"), ends.index)
    return _turned(_summed(found, here, our_kind, names, kinds))


def _ours(ends: pd.DataFrame, end: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the keys of one end, and which of our accounts it is."""
    party = ends[f"{end}_party"].astype("str")
    return own_keys(ends[f"{end}_id"], ends[f"{end}_name"]), party.where(party.isin(OWN))


def _summed(found: Spent, *ends: pd.Series[Any]) -> pd.DataFrame:
    columns = {name: end.astype("str").array for name, end in zip(_ENDS, ends, strict=True)}
    summed = summed_by(columns, found, "moved_cents")
    return summed.drop(columns="open_cents")


def _named(flows: pd.DataFrame, shown: pd.Series[Any]) -> pd.DataFrame:
    """Show names instead of keys, and ids beside them."""
    columns: dict[str, Any] = {}
    for end in ("from", "to"):
        is_own = flows[f"{end}_kind"].isin(OWN)
        names, ids = names_of(flows[end], shown)
        columns[f"{end}_name"] = names.where(is_own, flows[end])
        columns[f"{end}_kind"] = flows[f"{end}_kind"]
        columns[f"{end}_id"] = ids.where(is_own)
    order = ["from_name", "from_kind", "to_name", "to_kind", "from_id", "to_id"]
    made = pd.DataFrame(columns)[order].astype("str")
    return made.assign(moved_cents=flows["moved_cents"], transfers=flows["transfers"])


def _turned(flows: pd.DataFrame) -> pd.DataFrame:
    """Let what came back beyond what was spent flow into its pod."""
    back = flows[flows["moved_cents"] < 0]
    turned = back.assign(
        **{"from": REFUNDS},
        from_kind="income",
        to=back["from"],
        to_kind=back["from_kind"],
        moved_cents=-back["moved_cents"],
    )
    turned = turned.groupby(_ENDS, dropna=False, sort=False).sum().reset_index()
    return pd.concat([flows[flows["moved_cents"] > 0], turned], ignore_index=True)


def _group_small(flows: pd.DataFrame) -> pd.DataFrame:
    is_income = flows["from_kind"] == "income"
    sums = flows[is_income].groupby("from")["moved_cents"].sum().sort_values(ascending=False)
    if len(sums) <= MOST_PAYEES:
        return flows
    small = is_income & flows["from"].isin(sums.index[MOST_PAYEES - 1 :])
    grouped = flows.assign(**{"from": flows["from"].mask(small, OTHER_INCOME)})
    return grouped.groupby(_ENDS, dropna=False, sort=False).sum().reset_index()


def _in_order(flows: pd.DataFrame) -> pd.DataFrame:
    place = flows["from_kind"].map({kind: place for place, kind in enumerate(_ORDER)})
    keyed = flows.assign(place=place, size=-flows["moved_cents"])
    order = keyed.sort_values(["place", "size", *flows.columns[:6]]).index
    return flows.loc[order].reset_index(drop=True)
