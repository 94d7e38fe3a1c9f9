"""One payee that is paid for several things: told apart by their days, then by their amounts.

Each way gives the rows of a payee parts. A way is taken where all parts are regular, and most of
them at the same time; so what is bought irregularly is never taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur import calendar_days as cal
from seqdata.analysis.recur.cadence import CADENCES

#: Amounts further apart than this, in order of size, may be two series.
_CLEARLY_APART = 1.15

#: What comes within so many days is of one turn.
_SAME_TURN = 3

#: The most parts of a payee, the fewest rows of one, and the most rows that are of none.
_MOST_PARTS, _FEWEST_ROWS, _STRAY = 6, 3, 0.1

#: The days between two that are half a month apart, and how far off they may be.
_HALF_MONTH, _HALF_OFF = 15.2, 2.6

#: The share of neighbours that repeat an amount where it is fixed.
_FIXED = 0.6

_SEMIMONTHLY = CADENCES.index("semimonthly")

#: Tells which rows of labels are regular: label, facts -> rows, and more.
Regular = Callable[[Any, Any], tuple[Any, Any, Any]]


def find(group: Any, facts: Any, whole: Any, grid: Any, regular: Regular) -> tuple[Any, Any]:
    """Return the part of each row (-1: none), and which rows are of a payee that was taken apart.

    Parameters
    ----------
    group
        A number for each payee.
    facts
        Days and cents of the rows, and whether they came in.
    whole, grid
        Whether the payee is regular as it is, and the cadence it is closest to.
    regular
        Tells which rows of some labels are regular.
    """
    part, is_split = np.full(len(group), -1), np.zeros(len(group), bool)
    members = np.bincount(group)
    for rows, way in _ways(group, facts, whole, grid):
        wanted = (way >= 0) & ~is_split[rows]
        tried, mine = rows[wanted], way[wanted]
        enough = _are_parts(group[tried], mine, members)
        tried, mine = tried[enough], mine[enough]
        if len(tried):
            good, _, _ = regular(mine, facts.only(tried))
            apart = _together(group[tried], mine, facts.days[tried], good)
            part[tried[apart]] = mine[apart] + part.max(initial=-1) + 1
            done = np.zeros(len(members), bool)
            done[group[tried[apart]]] = True
            is_split |= done[group]
    return part, is_split


def joined(first: Any, second: Any) -> Any:
    """Return a number for each pair of numbers; -1 where one of them is."""
    codes = pd.factorize(second)[0].astype(np.int64)
    both = pd.factorize(first.astype(np.int64) * (codes.max(initial=0) + 1) + codes)[0]
    return np.where((first < 0) | (codes < 0), -1, both)


def twins(label: Any, facts: Any) -> Any:
    """Return a number for each label and place in its turn, -1 where most turns have one row.

    A place is by amount, and of equal amounts by day.
    """
    number = np.full(len(label), -1)
    order = np.lexsort((facts.days, label))
    is_new = np.diff(label[order], prepend=-1) != 0
    turn = np.cumsum(is_new | (np.diff(facts.days[order], prepend=0) > _SAME_TURN)) - 1
    size = np.bincount(turn)[turn]
    starts = np.flatnonzero(is_new)
    rows = np.diff(np.append(starts, len(order)))
    usual = np.rint(np.add.reduceat(size, starts) / rows).astype(np.int64)
    full = np.add.reduceat((size == np.repeat(usual, rows)).astype(np.int64), starts) / rows
    is_twin = np.repeat((usual >= 2) & (usual <= _MOST_PARTS) & (full >= _FIXED), rows)
    order, turn, usual = order[is_twin], turn[is_twin], np.repeat(usual, rows)[is_twin]
    if len(order):
        sorted_in = np.lexsort((facts.days[order], facts.cents[order], turn))
        first = np.flatnonzero(np.diff(turn[sorted_in], prepend=-1))
        counts = np.diff(np.append(first, len(turn)))
        place = np.arange(len(turn)) - np.repeat(first, counts)
        order = order[sorted_in]
        number[order] = np.where(place < usual[sorted_in], joined(label[order], place), -1)
    return number


def _ways(group: Any, facts: Any, whole: Any, grid: Any) -> Iterator[tuple[Any, Any]]:
    """Yield some rows and their parts (-1: none): by day, by amount, by both, and by place."""
    everyone = np.arange(len(group))
    cluster, clusters = _day_clusters(group, facts.days)
    rows = everyone[(clusters >= 2) & (clusters <= _MOST_PARTS)]
    rows = rows[~whole[rows] | (grid[rows] == _SEMIMONTHLY)]
    two = _is_two_by_day(group[rows], facts.only(rows), cluster[rows], clusters[rows])
    rows = rows[~whole[rows] | two]
    by_day = joined(group[rows], cluster[rows])
    yield rows, by_day
    amount, price, prices = _amounts(group, facts.cents)
    yield everyone, amount
    few = everyone[~whole & (prices <= _MOST_PARTS)]
    yield few, price[few]
    yield rows, joined(by_day, amount[rows])
    yield rows, joined(by_day, price[rows])
    for some, label in ((everyone[~whole], group[~whole]), (rows, by_day)):
        if len(some):
            yield some, twins(label, facts.only(some))


def _are_parts(group: Any, part: Any, members: Any) -> Any:
    """Tell which rows are of parts that are enough, of payees with several and few other rows."""
    counts = np.bincount(part, minlength=1)[part] >= _FEWEST_ROWS
    of_part = np.full(part.max(initial=-1) + 1, len(members))
    of_part[part[counts]] = group[counts]
    several = np.bincount(of_part, minlength=len(members) + 1)[:-1]
    kept = np.bincount(group[counts], minlength=len(members))
    is_whole = kept >= (1 - _STRAY) * members
    good = (several >= 2) & (several <= _MOST_PARTS) & is_whole
    return counts & good[group]


def _together(group: Any, part: Any, days: Any, regular: Any) -> Any:
    """Tell which rows are of payees all of whose parts are regular, and overlap in time."""
    frame = pd.DataFrame({"group": group, "part": part, "day": days, "regular": regular})
    spans = frame.groupby(["group", "part"]).agg(
        first=("day", "min"), last=("day", "max"), regular=("regular", "all")
    )
    whole = spans.groupby("group").agg(
        first=("first", "min"), last=("last", "max"), regular=("regular", "all")
    )
    length = (spans["last"] - spans["first"]).groupby("group").sum()
    overlap = whole["regular"] & (length >= 1.5 * (whole["last"] - whole["first"]))
    return frame["group"].map(overlap).to_numpy(bool)


def _amounts(group: Any, cents: Any) -> tuple[Any, Any, Any]:
    """Return a number for each amount that stands apart, one for each price, and their count."""
    order = np.lexsort((cents, group))
    sizes, owners = cents[order], group[order]
    is_first = np.append(True, owners[1:] != owners[:-1])
    apart = np.append(True, sizes[1:] > sizes[:-1] * _CLEARLY_APART)
    other = np.append(True, sizes[1:] != sizes[:-1]) | is_first
    amount, price = np.empty_like(group), np.empty_like(group)
    amount[order] = np.cumsum(apart | is_first) - 1
    price[order] = np.cumsum(other) - 1
    return amount, price, np.bincount(owners, weights=other)[group]


def _day_clusters(group: Any, days: Any) -> tuple[Any, Any]:
    """Return the number, from 0, of each part of the month in which a group is paid, and how many.

    The month is a circle: what is before the first gap stands together with what is after the
    last one.
    """
    day = cal.day_of_month(days) - 1
    seen = np.bincount(group * 31 + day, minlength=31 * (group.max() + 1)) > 0
    seen = seen.reshape(-1, 31)
    begins = seen & ~np.any([np.roll(seen, way, axis=1) for way in (1, 2, 3)], axis=0)
    clusters = np.maximum(begins.sum(axis=1), 1)
    number = (begins.cumsum(axis=1) - 1) % clusters[:, None]
    return number[group, day], clusters[group]


def _is_two_by_day(group: Any, facts: Any, cluster: Any, clusters: Any) -> Any:
    """Tell which rows are of a payee whose two days a month are two things.

    They are not half a month apart; or each has a price of its own, of what is paid.
    """
    mine = clusters == 2
    group = pd.factorize(group)[0]
    half = group * 2 + np.where(mine, cluster, 0)
    size = 2 * (group.max(initial=-1) + 1)
    turns = 2 * np.pi * cal.in_months(facts.days)
    sine, cosine = (np.bincount(half, wave(turns), size) for wave in (np.sin, np.cos))
    angle = np.arctan2(sine, cosine).reshape(-1, 2)
    apart = np.abs(angle[:, 1] - angle[:, 0]) / (2 * np.pi) * cal.DAYS_A_MONTH
    is_uneven = np.abs(apart - _HALF_MONTH) > _HALF_OFF
    own = _share_repeated(half, facts, size) >= _FIXED
    other = _share_repeated(group, facts, size) <= 1 - _FIXED
    is_priced = own[half] & own[half ^ 1] & other[group] & ~facts.comes_in
    return mine & (is_uneven[group] | is_priced)


def _share_repeated(label: Any, facts: Any, size: int) -> Any:
    """Return the share of rows of each label that repeat the amount before, by label."""
    order = np.lexsort((facts.days, label))
    same = (np.diff(label[order], prepend=-1) == 0) & (np.diff(facts.cents[order], prepend=-1) == 0)
    repeated = np.bincount(label[order], same, size)
    return repeated / np.maximum(np.bincount(label, minlength=size) - 1, 1)
