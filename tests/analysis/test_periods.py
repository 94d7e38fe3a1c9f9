"""What a period is: in every zone, on days of 23 and 25 hours, and on days that never were."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import accounts, balances, fewer, legs, transfers

from seqdata import plots
from seqdata.analysis import balance_history, between, cash_flow, settle, spending
from seqdata.analysis.periods import FREQUENCIES, Period, Periods, day_ends, period_starts
from seqdata.core.moments import day_start, parse_moment
from seqdata.exceptions import InvalidFilter

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("America/Havana", "2026-03-08", "2026-03-08T05:00", 23),  # 0:00 is 1:00
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", 25),  # 1:00 is 0:00 again
        ("America/New_York", "2026-03-08", "2026-03-08T05:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", 25),  # 24:00 is 23:00 again
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30", 25),  # 0:01 is 23:01 again
        ("America/St_Johns", "2010-11-07", "2010-11-07T03:30", 24),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", 24),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0),  # it never was
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00", 0),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),
    ],
)
def test_a_day_is_what_lies_between_two_midnights(
    zone: str, day: str, starts: str, hours: float
) -> None:
    """A day begins with its first instant, however the clock comes there, and has its hours."""
    one, where = date.fromisoformat(day), ZoneInfo(zone)
    start = day_start(one, where)
    assert start.replace(tzinfo=None) == datetime.fromisoformat(starts)
    assert (day_start(one + timedelta(days=1), where) - start) / HOUR == hours
    assert parse_moment(day, where) == start


def test_a_day_that_never_was_is_no_day() -> None:
    """Where a zone skipped a day, neighbours are the day before and the day after it."""
    around = np.array(["2011-12-29T20:00", "2011-12-31T20:00"], "datetime64[us]")
    days = Periods.of(around, "day", ZoneInfo("Pacific/Apia"))
    assert days.first_days.astype("datetime64[D]").astype(str).tolist() == [
        "2011-12-29", "2011-12-31", "2012-01-01",
    ]  # fmt: skip


ZONES = st.sampled_from(sorted(zoneinfo.available_timezones())).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2037, 12, 30))
DAYS_APART = st.lists(st.integers(0, 3 * 86_400 * 10**6), min_size=1, max_size=5)


@given(ZONES, MOMENTS, DAYS_APART, st.sampled_from(sorted(FREQUENCIES)))
def test_periods_follow_each_other_in_every_zone(
    zone: ZoneInfo, first: datetime, steps: list[int], freq: str
) -> None:
    """Each moment lies in one period, whose day of the zone it shows unless the clock went back."""
    at = np.datetime64(first, "us") + np.cumsum(steps).astype("timedelta64[us]")
    periods = Periods.of(at, freq, zone)
    assert (np.diff(periods.starts) > np.timedelta64(0)).all()
    places = periods.places(at)
    assert places.min() >= 0
    begins, ends = periods.starts[places], periods.starts[places + 1]
    assert ((begins <= at) & (at < ends)).all()
    for edge in (begins, ends - np.timedelta64(1, "us")):
        local = pd.Series(pd.DatetimeIndex(edge, tz="UTC").tz_convert(zone).tz_localize(None))
        assert period_starts(local, freq).tolist() == list(periods.first_days[places])
    aware = pd.Series(pd.DatetimeIndex(at, tz="UTC").tz_convert(zone))
    assert period_starts(aware, freq).tolist() == list(periods.first_days[places])


#: Around what clocks did: summer time at midnight, a day left out, an hour twice.
EDGES = [
    ("America/Havana", "2026-03-07"), ("America/Havana", "2026-10-31"),
    ("America/Asuncion", "2023-10-01"), ("Asia/Beirut", "2026-03-28"),
    ("Africa/Cairo", "2026-04-23"),
    ("America/Santiago", "2026-09-05"), ("America/St_Johns", "2010-11-06"),
    ("Pacific/Apia", "2011-12-29"), ("Pacific/Kwajalein", "1993-08-20"),
    ("Pacific/Kiritimati", "1994-12-30"), ("Europe/Dublin", "2026-10-24"),
    ("Africa/Casablanca", "2026-02-14"),
]  # fmt: skip


def by_day(table: pd.DataFrame, column: str) -> dict[pd.Timestamp, int]:
    """Return what a table says of the days on which there is something."""
    rows = zip(table["period"], table[column], strict=True)
    return {first: int(cents) for first, cents in rows if cents}


@fewer
@given(
    st.one_of(st.sampled_from(EDGES), st.tuples(ZONES.map(str), st.dates(
        date(1975, 1, 2), date(2037, 12, 28)).map(str))),
    st.lists(st.tuples(st.integers(0, 72 * 60), st.integers(1, 999)), min_size=1, max_size=6),
)  # fmt: skip
def test_every_table_cuts_days_alike(edge: tuple[str, str], paid: list[tuple[int, int]]) -> None:
    """Whatever the zone, spending, cash flow, balances and calendar agree on each day's money."""
    zone, day = ZoneInfo(edge[0]), date.fromisoformat(edge[1])
    begin = day_start(day, zone)
    told = [f"{begin + timedelta(minutes=minutes):%Y-%m-%dT%H:%MZ}" for minutes, _ in paid]
    rows = transfers(
        *[f"{at} {at} {cents} pod1 shop1" for at, (_, cents) in zip(told, paid, strict=True)]
    )
    for name in ("created_at", "updated_at"):
        rows[name] = rows[name].dt.tz_convert(zone)
    settled = settle(rows, legs()).assign(
        payee="Shop", category=pd.Categorical(["Any"] * len(rows))
    )
    spent = spending(settled, None, freq="day")
    daily = by_day(spent, "spent_cents")
    flow = cash_flow(rows, legs(), accounts("pod1"), freq="day")
    assert by_day(flow, "money_out_cents") == daily
    seen = balances(f"pod1 {begin + timedelta(days=5):%Y-%m-%dT%H:%MZ} 0")
    history = balance_history(rows, legs(), accounts("pod1"), seen)
    dates, left = history["date"].tolist(), history["balance_cents"].tolist()
    total = sum(daily.values())
    for at, cents in zip(dates, left, strict=True):
        assert cents == total - sum(one for first, one in daily.items() if first <= at)
    drawn = plots.table_of(plots.calendar(spent))
    assert by_day(drawn, "spent_cents") == daily
    for first, cents in daily.items():
        last = first + pd.Timedelta(days=1)
        ends = day_ends(np.array([first], "datetime64[us]"), zone)
        assert (ends < np.datetime64(day_start(last.date(), zone).replace(tzinfo=None), "us")).all()
        chosen = rows[between(rows["created_at"], f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")]
        assert chosen["amount_cents"].sum() == cents


# -- one period ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "freq", "first", "end", "before", "year_before"),
    [
        ("2026", "year", "2026-01-01", "2027-01-01", "2025", "2025"),
        ("2026-Q1", "quarter", "2026-01-01", "2026-04-01", "2025-Q4", "2025-Q1"),
        ("2026-03", "month", "2026-03-01", "2026-04-01", "2026-02", "2025-03"),
        ("2026-W01", "week", "2025-12-29", "2026-01-05", "2025-W52", "2025-W01"),
        ("2026-W53", "week", "2026-12-28", "2027-01-04", "2026-W52", "2025-W52"),
        ("2024-02-29", "day", "2024-02-29", "2024-03-01", "2024-02-28", "2023-02-28"),
    ],
)
def test_a_period_is_written_and_read(
    text: str, freq: str, first: str, end: str, before: str, year_before: str
) -> None:
    """A period knows its days, the one before it and that of a year ago, and is written as read."""
    period = Period.read("period", text)
    assert (period.freq, period.first.isoformat(), period.end.isoformat()) == (freq, first, end)
    assert str(period) == text
    assert str(period.shifted(-1)) == before
    assert str(period.year_before()) == year_before


@given(st.dates(date(2, 1, 1), date(9990, 1, 1)), st.sampled_from(sorted(FREQUENCIES)))
def test_what_is_written_is_read_again(day: date, freq: str) -> None:
    """Every period reads back as itself, begins on its own first day and ends after the day."""
    first = period_starts(pd.Series([np.datetime64(day, "us")]), freq).iloc[0].date()
    period = Period(freq, first)
    assert Period.read("period", str(period)) == period
    assert period.first <= day < period.end


@pytest.mark.parametrize(
    "wrong", ["2026-13", "2026-W54", "2026-W00", "2026-Q5", "26", "October", 7]
)
def test_what_is_no_period_is_refused(wrong: object) -> None:
    """A text that is no period is refused with how one is written."""
    with pytest.raises(InvalidFilter, match="2026-Q3, 2026-10, 2026-W40"):
        Period.read("period", wrong)
