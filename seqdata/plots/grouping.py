"""What a chart can show at once: the largest series, and the rest as others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.periods import FREQUENCIES

#: The id, and the name, of what is grouped.
OTHERS = "others"

#: Lengths of a period.
PERIODS = tuple(FREQUENCIES)

_SUMS = ("share", "period_share", "transfers")


def largest(sizes: pd.Series[Any], most: int) -> list[str]:
    """Return the labels of the largest series, largest first: all, or one less than `most`."""
    ranked = sizes.sort_values(ascending=False, kind="stable").index.tolist()
    return ranked if len(ranked) <= most else ranked[: most - 1]


def frequency_of(periods: pd.Series[Any], told: Any = None) -> str:
    """Tell the frequency of periods that are named by their first days.

    It is the smallest distance between two; of a single one, what the table tells, else a month
    if it begins one.
    """
    if told in PERIODS:
        return str(told)
    days = np.unique(periods.dropna().to_numpy("datetime64[D]")).astype(np.int64)
    if len(days) < 2:
        return "month" if periods.dropna().dt.day.eq(1).all() else "day"
    smallest = int(np.diff(days).min())
    for freq, least in (("year", 365), ("quarter", 90), ("month", 28), ("week", 7)):
        if smallest >= least:
            return freq
    return "day"


def period_numbers(periods: Any, freq: str) -> Any:
    """Return numbers of periods: neighbours are one apart, whatever their length in days."""
    days = pd.DatetimeIndex(periods)
    if freq in ("day", "week"):
        number = days.to_numpy("datetime64[D]").astype(np.int64)
        return number // 7 if freq == "week" else number
    months = days.year.to_numpy() * 12 + days.month.to_numpy() - 1
    return months // {"month": 1, "quarter": 3, "year": 12}[freq]


def period_days(numbers: Any, freq: str, example: Any) -> list[pd.Timestamp]:
    """Return the first day of each numbered period; `example` tells how a week begins."""
    if freq == "day":
        return [pd.Timestamp(int(number), unit="D") for number in numbers]
    if freq == "week":
        offset = pd.Timestamp(example).to_datetime64().astype("datetime64[D]").astype(np.int64) % 7
        return [pd.Timestamp(int(number) * 7 + int(offset), unit="D") for number in numbers]
    length = {"month": 1, "quarter": 3, "year": 12}[freq]
    months = [int(number) * length for number in numbers]
    return [pd.Timestamp(month // 12, month % 12 + 1, 1) for month in months]


def measures(table: pd.DataFrame) -> list[str]:
    """Return the columns of a spending table that are numbers to be summed."""
    return [name for name in table.columns if name.startswith(("spent", "open")) or name in _SUMS]


def keys(table: pd.DataFrame) -> list[str]:
    """Return the subjects that a spending table is grouped by, without their ids."""
    others = {*measures(table), "period", "disguised"}
    return [name for name in table.columns if name not in others and not name.endswith("_id")]


def with_open(table: pd.DataFrame) -> pd.DataFrame:
    """Return a spending table in which nothing that is open is missing: there is none of it."""
    open_cents = table.get("open_cents", pd.Series(0, table.index))
    return table.assign(open_cents=open_cents.fillna(0))
