"""Payees, and which of them may be one: suggestions that a person takes or leaves."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.spend.payees import payee_key
from seqdata.exceptions import MissingExtra
from seqdata.sources.vocabulary import OWN

#: How alike two names must be, of 100.
_ALIKE = 88
#: Names are compared with those that begin with the same letters.
_BEGINNING = 3
_COLUMNS = {"payee": "str", "other": "str", "similarity": "int64", "transfers": "int64"}


def payee_table(categorized: pd.DataFrame) -> pd.DataFrame:
    """Return each payee that is no own account: how often, in how many spellings, when last.

    Parameters
    ----------
    categorized
        As :func:`seqdata.analysis.categorize` gives it, each transfer whole.

    Returns
    -------
    DataFrame
        payee (str), transfers, spellings (int64), last_at; the most frequent first.
    """
    is_theirs = ~(
        categorized["source_party"].isin(OWN) & categorized["destination_party"].isin(OWN)
    )
    rows = categorized[is_theirs & categorized["payee"].notna()]
    outgoing = rows["direction"] == "OUTGOING"
    written = rows["destination_name"].where(outgoing, rows["source_name"])
    groups = rows.assign(written=written).groupby("payee", observed=True)
    found = groups.agg(
        transfers=("id", "size"), spellings=("written", "nunique"), last_at=("created_at", "max")
    )
    return found.reset_index().sort_values(
        ["transfers", "payee"], ascending=[False, True], ignore_index=True
    )


def similar_payees(payees: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of payees that look alike, the most alike first.

    Names with other numbers are never a pair: two loans are two.

    Parameters
    ----------
    payees
        As :func:`payee_table` gives it.

    Returns
    -------
    DataFrame
        payee (str: the more frequent one), other (str), similarity (int64, of 100), transfers
        (int64: of the other one).

    Raises
    ------
    MissingExtra
        It needs ``seqdata[suggest]``.
    """
    try:
        from rapidfuzz import fuzz, process
    except ImportError:
        raise MissingExtra("Suggesting payees", "suggest") from None
    names = payees["payee"].tolist()
    groups: dict[tuple[str, ...], list[int]] = {}
    keys = [payee_key(name) for name in names]
    for place, key in enumerate(keys):
        beginning = key.replace(" ", "")[:_BEGINNING]
        groups.setdefault((beginning, *re.findall(r"\d+", key)), []).append(place)
    pairs: list[tuple[Any, ...]] = []
    for places in groups.values():
        of_group = [keys[place] for place in places]
        alike = process.cdist(of_group, of_group, scorer=fuzz.WRatio, score_cutoff=_ALIKE)
        for one, other in np.argwhere(np.triu(alike, 1)):
            first, second = places[one], places[other]
            similarity = int(alike[one, other])
            pairs.append(
                (names[first], names[second], similarity, payees["transfers"].iloc[second])
            )
    found = pd.DataFrame(pairs, columns=list(_COLUMNS)).astype(_COLUMNS)
    order = ["similarity", "transfers", "payee", "other"]
    return found.sort_values(order, ascending=[False, False, True, True], ignore_index=True)
