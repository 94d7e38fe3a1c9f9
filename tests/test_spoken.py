"""Words that a person says for days and periods."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.analysis.periods import Period
from seqdata.core.moments import EASTERN, parse_moment
from seqdata.core.spoken import in_iso
from seqdata.exceptions import InvalidMoment

FRIDAY = date(2026, 11, 27)

SAID = {
    "today": "2026-11-27", "Yesterday": "2026-11-26", "tomorrow": "2026-11-28",
    "this week": "2026-W48", "last week": "2026-W47", "next week": "2026-W49",
    "this month": "2026-11", "last month": "2026-10", "previous month": "2026-10",
    "last quarter": "2026-Q3", "this year": "2026", "last year": "2025", "next year": "2027",
    "12 months": "2025-11-27", "last 12 months": "2025-11-27", "a year ago": "2025-11-27",
    "30 days": "2026-10-28", "past 2 weeks": "2026-11-13", "9 months ago": "2026-02-27",
    "October": "2026-10", "oct": "2026-10", "November": "2026-11", "December": "2025-12",
    "Oct 2024": "2024-10", "  OCTOBER,  2024 ": "2024-10", "Q3": "2026-Q3", "q4": "2026-Q4",
    "Q3 2025": "2025-Q3", "2025Q3": "2025-Q3", "2025-q3": "2025-Q3",
    "October 5": "2026-10-05", "5 Oct 2025": "2025-10-05", "Dec 24": "2025-12-24",
}  # fmt: skip

NOT_SAID = [
    "", "soon", "10/11", "10/11/2026", "next Friday", "ma", "Octopus", "Q5", "0000-Q1 2026",
    "February 30", "Feb 29", "9999 years", "last", "month", "last 2026", "2026-10", "2026-W40",
    "2026-11-23T09:30", "one",
]  # fmt: skip


@pytest.mark.parametrize(("words", "iso"), SAID.items())
def test_words_mean_a_day_or_a_period(words: str, iso: str) -> None:
    """Words are the ISO text of what they mean on the day on which they are said."""
    assert in_iso(words, FRIDAY) == iso


@pytest.mark.parametrize("words", NOT_SAID)
def test_what_could_mean_two_things_is_left_alone(words: str) -> None:
    """Text that is none of the words comes back as it was, and what reads it refuses it."""
    assert in_iso(words, FRIDAY) == words


@given(st.dates(date(1000, 1, 1), date(9000, 1, 1)), st.sampled_from(sorted(SAID)))
def test_what_was_understood_stays_as_it_is(day: date, words: str) -> None:
    """On every day, what words mean is ISO text that every period and moment reads."""
    iso = in_iso(words, day)
    assert in_iso(iso, day) == iso
    assert str(Period.read("since", iso)) == iso
    noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    assert parse_moment(words, EASTERN, noon) == parse_moment(iso, EASTERN)


@given(
    st.dates(date(1000, 1, 1), date(9000, 1, 1)),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
)
def test_the_last_one_ends_where_this_one_begins(day: date, unit: str) -> None:
    """Last, this and next are neighbours, and the day on which they are said lies in this one."""
    last, this, following = (
        Period.read("since", in_iso(f"{side} {unit}", day)) for side in ("last", "this", "next")
    )
    assert last.end == this.first <= day < this.end == following.first
    assert {one.freq for one in (last, this, following)} == {unit}


@given(st.dates(date(1000, 1, 1), date(9000, 1, 1)), st.integers(1, 12))
def test_a_month_without_a_year_has_begun(day: date, month: int) -> None:
    """A month's name alone is the newest one that has begun: of the last 366 days."""
    first = date.fromisoformat(f"{in_iso(f'{date(2000, month, 1):%B}', day)}-01")
    assert first.month == month
    assert day - timedelta(days=366) < first <= day


def test_a_moment_takes_the_words_in_its_zone() -> None:
    """Where the day of the zone is another one than that of UTC, it is the zone's that counts."""
    late = datetime(2026, 11, 1, 2, tzinfo=UTC)  # the evening of October 31 in New York
    assert parse_moment("this month", EASTERN, late) == datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert parse_moment("2026-Q3", EASTERN) == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert parse_moment("2026-W40", EASTERN) == datetime(2026, 9, 28, 4, tzinfo=UTC)
    with pytest.raises(InvalidMoment, match="last month"):
        parse_moment("10/11", EASTERN)
