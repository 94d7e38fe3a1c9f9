"""Many series in one array: the rows of each stand together, and are summed up at once."""

from __future__ import annotations

from typing import Any

import numpy as np


def order_by(first: Any, then: Any) -> Any:
    """Return the order by a number of 0 or more, and then by another one; of equals, as they are.

    As :func:`numpy.lexsort` does, but in one go where both numbers fit in one.
    """
    low = then.min(initial=0)
    width = int(then.max(initial=0)) - int(low) + 1
    if (int(first.max(initial=0)) + 1) * width < np.iinfo(np.int64).max:
        return np.argsort(first * width + (then - low), kind="stable")
    return np.lexsort((then, first))


class Rows:
    """Series of days, and what is computed within each of them."""

    def __init__(self, days: Any, starts: Any) -> None:
        self.days = days
        self.starts = starts
        self.series = len(starts)
        self.counts = np.diff(np.append(starts, len(days)))
        self.last = starts + self.counts - 1
        self.owner = np.repeat(np.arange(self.series), self.counts)
        self.is_first = np.zeros(len(days), bool)
        self.is_first[starts] = True

    def only(self, chosen: Any) -> Rows:
        """Return some of the series."""
        keep = np.zeros(self.series, bool)
        keep[chosen] = True
        counts = self.counts[chosen]
        return Rows(self.days[keep[self.owner]], np.cumsum(counts) - counts)

    def newest(self, most: int) -> Rows:
        """Return the last rows of each series."""
        counts = np.minimum(self.counts, most)
        return Rows(self.days[self.is_newest(most)], np.cumsum(counts) - counts)

    def is_newest(self, most: int) -> Any:
        """Tell which rows :meth:`newest` keeps."""
        return np.arange(len(self.days)) > (self.last - most)[self.owner]

    def where(self, wanted: Any) -> Rows:
        """Return all series with some of their rows; one that would lose all keeps its own."""
        kept = self.kept(wanted)
        counts = self.sum(kept).astype(np.int64)
        return Rows(self.days[kept], np.cumsum(counts) - counts)

    def kept(self, wanted: Any) -> Any:
        """Return the rows that :meth:`where` keeps."""
        return wanted | ~(self.sum(wanted) > 0)[self.owner]

    def sum(self, values: Any) -> Any:
        """Return the sum of each series."""
        return np.add.reduceat(values.astype(np.float64), self.starts)

    def mean(self, values: Any) -> Any:
        """Return the mean of each series."""
        return self.sum(values) / self.counts

    def median(self, values: Any) -> Any:
        """Return the median of each series, the lower of the two where there are two."""
        order = np.lexsort((values, self.owner))
        return values[order][self.starts + (self.counts - 1) // 2]

    def mode(self, values: Any) -> Any:
        """Return the value each series has most often, the smallest of several."""
        low = values.min(initial=0)
        width = values.max(initial=0) - low + 1
        distinct, times = np.unique(self.owner * width + values - low, return_counts=True)
        order = np.lexsort((distinct, -times, distinct // width))
        owner = distinct[order] // width
        return distinct[order][np.searchsorted(owner, np.arange(self.series))] % width + low

    def median_gaps(self) -> Any:
        """Return the median of the days between occurrences of different days; 0 for one."""
        gaps = np.append(0, np.diff(self.days))
        counted = ~self.is_first & (gaps > 0)
        owner, gaps = self.owner[counted], gaps[counted]
        order = np.argsort(owner * 100_000 + gaps, kind="stable")
        counts = np.bincount(owner, minlength=self.series)
        middle = np.cumsum(counts) - counts + np.maximum(counts - 1, 0) // 2
        return np.where(counts > 0, np.append(gaps[order], 0)[np.minimum(middle, len(gaps))], 0)

    def circular_mean(self, values: Any) -> Any:
        """Return the mean of the fractions of each series, on the circle: 0.9 and 0.1 give 0."""
        turns = 2 * np.pi * (values % 1)
        return np.arctan2(self.sum(np.sin(turns)), self.sum(np.cos(turns))) / (2 * np.pi)
