"""Days, weeks, months, quarters and years of the reporting zone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.exceptions import InvalidFilter

#: The words for a length of time, and the numpy unit each is counted in.
FREQUENCIES = {"day": "D", "week": "W", "month": "M", "quarter": "M", "year": "Y"}

#: numpy counts weeks from 1970-01-01, a Thursday; ours begin on Mondays.
_MONDAY = 3


def check_frequency(freq: str) -> str:
    """Return `freq`, or raise :class:`InvalidFilter` that names the choices."""
    if freq not in FREQUENCIES:
        raise InvalidFilter("freq", freq, list(FREQUENCIES))
    return freq


def period_starts(moments: pd.Series[Any], freq: str) -> pd.Series[Any]:
    """Return the first day of the period that each moment lies in.

    Parameters
    ----------
    moments
        tz-aware (days are those of its zone) or naive; NaT stays NaT.
    freq
        "day", "week" (from Monday), "month", "quarter" or "year".

    Returns
    -------
    Series
        Naive ``datetime64[us]`` at midnight, with the index of `moments`.
    """
    local = moments.dt.tz_localize(None).to_numpy("datetime64[us]")
    return pd.Series(_starts(local, check_frequency(freq)), index=moments.index)


def period_range(first: Any, last: Any, freq: str) -> Any:
    """Return the first days of all periods from the one of `first` to the one of `last`.

    Both are naive days; the result is an array of ``datetime64[us]``.
    """
    ends = _starts(np.array([first, last], dtype="datetime64[us]"), check_frequency(freq))
    if freq == "quarter":
        first_month, last_month = ends.astype("datetime64[M]")
        return np.arange(first_month, last_month + 1)[::3].astype("datetime64[us]")
    if freq == "week":
        return np.arange(ends[0], ends[1] + 1, np.timedelta64(7, "D")).astype("datetime64[us]")
    start, stop = ends.astype(f"datetime64[{FREQUENCIES[freq]}]")
    return np.arange(start, stop + 1).astype("datetime64[us]")


def local_times(moments: Any, zone: Any) -> tuple[Any, ...]:
    """Return the naive local time of each UTC ``datetime64[us]``."""
    local = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return tuple(local.to_numpy("datetime64[us]"))


def day_ends(days: Any, zone: Any) -> Any:
    """Return the last microsecond of each naive day of a zone, as UTC ``datetime64[us]``."""
    midnights = pd.DatetimeIndex(days.astype("datetime64[us]") + np.timedelta64(1, "D"))
    # A zone can skip midnight (clocks go forward at 0:00): its day then ends where it skips.
    moments = midnights.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    utc = moments.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    return utc - np.timedelta64(1, "us")


def _starts(local: Any, freq: str) -> Any:
    if freq == "week":
        days = local.astype("datetime64[D]")
        weekday = (days.astype(np.int64) + _MONDAY) % 7
        return (days - np.where(np.isnat(days), 0, weekday)).astype("datetime64[us]")
    if freq == "quarter":
        months = local.astype("datetime64[M]")
        rest = np.where(np.isnat(months), 0, months.astype(np.int64) % 3)
        return (months - rest).astype("datetime64[us]")
    return local.astype(f"datetime64[{FREQUENCIES[freq]}]").astype("datetime64[us]")
