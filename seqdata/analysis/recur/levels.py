"""The price of a series: what it is now, and what it was before it changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur.segments import Rows

#: The share of occurrences that repeat the amount before or after, from which a price is fixed.
_FIXED = 0.6


def stable_levels(cents: Any, series: Rows) -> tuple[Any, Any]:
    """Return the row at which each series' present price begins, and the price before (-1: none).

    A fixed price changes when another amount comes, and comes again or is the latest: one odd
    amount in between is no change. Where amounts vary, the level changed if at least three
    occurrences, up to the latest, lie apart from all before them, by more than either part
    spreads.
    """
    runs = _runs(cents, series)
    lengths = np.bincount(runs)[runs]
    is_fixed = series.mean(lengths >= 2) >= _FIXED
    fixed, before = _last_step(
        cents, series, (lengths >= 2) | (runs == runs[series.last][series.owner])
    )
    varied, median = _last_gap(cents, series)
    begin, previous = np.where(is_fixed, fixed, varied), np.where(is_fixed, before, median)
    return begin, previous


def quantile(values: Any, series: Rows, share: float) -> Any:
    """Return a quantile of each series, interpolated as :func:`numpy.quantile` does."""
    ordered = values[np.lexsort((values, series.owner))]
    place = series.starts + share * (series.counts - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, series.last)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _runs(cents: Any, series: Rows) -> Any:
    """Return the numbers of the runs of equal amounts."""
    begins = np.diff(cents, prepend=0) != 0
    return np.cumsum(begins | series.is_first) - 1


def _last_step(cents: Any, series: Rows, counted: Any) -> tuple[Any, Any]:
    places = np.flatnonzero(counted)
    owner, values = series.owner[places], cents[places]
    same = np.append(False, owner[1:] == owner[:-1])
    changes = np.flatnonzero(same & (np.diff(values, prepend=0) != 0))
    begin, previous = series.starts.copy(), np.full(series.series, -1)
    # Of several changes of a series, the last assignment holds.
    begin[owner[changes]] = places[changes]
    previous[owner[changes]] = values[changes - 1]
    return begin, previous


def _last_gap(cents: Any, series: Rows) -> tuple[Any, Any]:
    low, high = _running(cents, series.owner)
    low_after, high_after = (values[::-1] for values in _running(cents[::-1], series.owner[::-1]))
    place = np.arange(len(cents)) - series.starts[series.owner]
    low, high = np.append(0, low[:-1]), np.append(0, high[:-1])
    gap = np.maximum(low_after - high, low - high_after)
    spread = np.maximum(high - low, high_after - low_after)
    left = series.counts[series.owner] - place
    changes = np.flatnonzero((place >= 3) & (left >= 3) & (gap > 0) & (gap >= spread))
    begin, previous = series.starts.copy(), np.full(series.series, -1)
    begin[series.owner[changes]] = changes
    has_changed = begin > series.starts
    if has_changed.any():
        past = np.arange(len(cents)) < begin[series.owner]
        middle = quantile(cents[series.kept(past)], series.where(past), 0.5)
        previous[has_changed] = np.rint(middle[has_changed]).astype(np.int64)
    return begin, previous


def _running(cents: Any, owner: Any) -> tuple[Any, Any]:
    """Return the least and the most amount of each series up to each row."""
    groups = pd.Series(cents).groupby(owner, sort=False)
    return groups.cummin().to_numpy(), groups.cummax().to_numpy()
