"""How wide a forecast's band is, and whether it is worth more than none: by its own past errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqdata.analysis.recur.lookback import Past
from seqdata.analysis.recur.paths import Path

METHODS = ("expected", "nothing changes", "not enough history")
EXPECTED, UNCHANGED, NOTHING = range(3)

#: Share of what came that is below the low side, and above the high side.
OUTSIDE = 0.1

#: So many forecasts of the past must be known for their errors alone to say the band, and for
#: nothing to be the better forecast.
_FEW, _EVIDENCE = 4, 6

#: Each error stands for what is around it: of ``n``, the least is at ``0.5 / n``.
_MIDDLE = 0.5

#: Few errors tell too little of the next: the band of ``n`` is wider by ``3 / n**2``.
_WIDER = 3

#: Days before and after, whose bands are averaged.
_SMOOTH = 3


@dataclass(frozen=True)
class Shown:
    """What is shown of a forecast: cents by which each balance moves, by account and day.

    ``method`` is a position in METHODS, by account.
    """

    expected: Any
    low: Any
    high: Any
    method: Any


def show(forecast: Path, past: Past) -> Shown:
    """Decide what is shown of a forecast, from the forecasts before it and what came.

    Where nothing was the better forecast over all days of the past ones, by the mean of the
    errors, nothing is expected. The band is from the 10th to the 90th percentile of what came
    beyond the forecasts of the past, for each account and number of days, wider where few are
    known; where fewer than four are, at least as wide as :class:`Path` says.
    """
    errors, count = past.errors(), (~np.isnan(past.came)).any(axis=2).sum(axis=0)
    is_worse = (count >= _EVIDENCE) & (_mean(np.abs(past.came)) < _mean(np.abs(errors)))
    errors = np.where(is_worse[None, :, None], past.came, errors)
    low, high, known = _quantiles(errors, past.ago)
    loose = known < _FEW
    low = np.where(loose, np.fmin(low, forecast.low), low)
    high = np.where(loose, np.fmax(high, forecast.high), high)
    low[:, 0] = high[:, 0] = 0
    expected = np.where(is_worse[:, None], 0, forecast.expected)
    return Shown(
        expected=expected,
        low=expected + np.minimum(_smooth(low), 0) + forecast.unsure_low,
        high=expected + np.maximum(_smooth(high), 0) + forecast.unsure_high,
        method=np.where(is_worse, UNCHANGED, EXPECTED),
    )


def _mean(errors: Any) -> Any:
    """Return the mean of each account; 0 where there are none."""
    is_known = ~np.isnan(errors)
    return np.where(is_known, errors, 0).sum(axis=(0, 2)) / np.maximum(is_known.sum(axis=(0, 2)), 1)


def _quantiles(errors: Any, ago: Any) -> tuple[Any, Any, Any]:
    """Return the low and the high side by account and day, and how many errors say it.

    Forecasts that overlap count as so many as would not.
    """
    known = (~np.isnan(errors)).sum(axis=0)
    if not len(errors):
        nothing = np.full(known.shape, np.nan)
        return nothing, nothing, known
    overlap = np.maximum(np.arange(known.shape[1]) / ago[0], 1)
    apart = np.maximum(known / overlap, 1)
    wider = 1 + _WIDER / apart**2
    share = np.maximum(OUTSIDE * apart - _MIDDLE, 0) / np.maximum(apart - 1, 1)
    ordered = np.sort(errors, axis=0)
    low, high = (_at(ordered, one * (known - 1)) for one in (share, 1 - share))
    return low * wider, high * wider, known


def _at(ordered: Any, place: Any) -> Any:
    """Return what stands at a place between two of the first axis; NaN where there is none."""
    below = np.maximum(np.floor(place), 0).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    first, second = (np.take_along_axis(ordered, one[None], axis=0)[0] for one in (below, above))
    share = np.maximum(place - below, 0)
    return first + np.where(share > 0, share * (second - first), 0)


def _smooth(side: Any) -> Any:
    """Average each day with those around it, with as many before as after."""
    total = np.append(np.zeros((len(side), 1)), side.cumsum(axis=1), axis=1)
    day = np.arange(side.shape[1])
    half = np.minimum(np.minimum(_SMOOTH, np.maximum(day - 1, 0)), side.shape[1] - 1 - day)
    return (total[:, day + half + 1] - total[:, day - half]) / (2 * half + 1)
