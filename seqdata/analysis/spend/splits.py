"""A transfer of several categories, taken apart: exact to the cent, in every sum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from seqdata.core.logs import logger
from seqdata.core.money import parse_cents
from seqdata.core.text import format_cents, normal
from seqdata.exceptions import InvalidSplit

log = logger(__name__)


def checked_split(
    transfer_id: str, split: Mapping[str, str | Decimal], amount_cents: int | None
) -> dict[str, int]:
    """Return the parts that a person gave, in cents by category; empty where none were.

    Raises
    ------
    InvalidSplit, InvalidAmount
        They are not the parts of a transfer of this amount.
    """
    parts = {name.strip(): parse_cents(amount) for name, amount in split.items()}
    if not split:
        return {}
    if amount_cents is None:
        raise InvalidSplit(transfer_id, "its amount is not known")
    names = {normal(name) for name in parts}
    if len(split) < 2 or len(names) < len(split) or "" in names:
        raise InvalidSplit(transfer_id, "the categories are not two or more different names")
    if min(parts.values()) <= 0:
        raise InvalidSplit(transfer_id, "a part is not above zero")
    if (total := sum(parts.values())) != amount_cents:
        whole = format_cents(amount_cents)
        raise InvalidSplit(transfer_id, f"its parts are {format_cents(total)}, and it is {whole}")
    return parts


def read_splits(annotations: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return the parts of each transfer that was split, the largest first: category to cents."""
    if "split" not in annotations:
        return {}
    noted = annotations.loc[annotations["split"].notna(), ["id", "split"]]
    read = {id_: json.loads(text) for id_, text in noted.itertuples(index=False)}
    return {id_: dict(sorted(parts.items(), key=_size)) for id_, parts in read.items()}


def _size(part: tuple[str, int]) -> tuple[int, str]:
    return -part[1], part[0]


def take_apart(rows: pd.DataFrame, splits: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """Return a row a part in the place of each transfer that was split.

    Parameters
    ----------
    rows
        Categorized transfers, whose categories are all that the splits name.
    splits
        See :func:`read_splits`. One that does not add up to its transfer any more, since the
        service has changed the amount, leaves it whole; a warning says how many.

    Returns
    -------
    DataFrame
        The columns of `rows`, and its index (parts share a label), with the category and the amount
        of each part, and ``whole_cents`` (Int64) and ``whole``: what the transfer is as a whole;
        missing where it was not split.
    """
    parts = _parts_by_place(rows, splits) if splits else {}
    counts = np.ones(len(rows), np.int64)
    counts[list(parts)] = [len(each) for each in parts.values()]
    starts = np.cumsum(counts) - counts
    made = rows.take(np.repeat(np.arange(len(rows)), counts)) if parts else rows
    whole = pd.array(np.full(len(made), pd.NA), dtype="Int64")
    if parts:
        at = np.concatenate([starts[place] + np.arange(counts[place]) for place in parts])
        known = {normal(name): code for code, name in enumerate(made["category"].cat.categories)}
        codes = made["category"].cat.codes.to_numpy(np.int64, copy=True)
        codes[at] = [known[normal(name)] for each in parts.values() for name in each]
        cents, whole[at] = made["amount_cents"].array.copy(), made["amount_cents"].array[at]
        cents[at] = [amount for each in parts.values() for amount in each.values()]
        made["category"] = pd.Categorical.from_codes(
            codes, categories=made["category"].cat.categories
        )
        made["amount_cents"] = cents
        if "amount" in made:
            made["amount"] = cents.to_numpy(np.float64, na_value=np.nan) / 100
    return made.assign(whole_cents=whole, whole=whole.to_numpy(np.float64, na_value=np.nan) / 100)


def _parts_by_place(
    rows: pd.DataFrame, splits: Mapping[str, Mapping[str, int]]
) -> dict[int, Mapping[str, int]]:
    """Return the parts of the transfers that are here and still add up, by their places."""
    places = np.flatnonzero(rows["id"].isin(list(splits))).tolist()
    cents = rows["amount_cents"]
    parts = {place: splits[rows["id"].iloc[place]] for place in places}
    found = {place: part for place, part in parts.items() if adds_up(part, cents.iloc[place])}
    if left := len(parts) - len(found):
        # Whoever reads the log may see the tables disguised: it says no id.
        log.warning(
            "%d splits do not add up to their transfers any more, which count whole: "
            "Ledger.annotations has them, explain_category(id) says by how much",
            left,
        )
    return found


def adds_up(parts: Mapping[str, int], amount: Any) -> bool:
    """Tell whether the parts of a split are what its transfer is, in cents."""
    return not pd.isna(amount) and sum(parts.values()) == int(amount)
