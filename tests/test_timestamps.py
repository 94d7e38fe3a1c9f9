from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.core.moments import EASTERN, parse_moment, parse_timestamp, to_eastern
from seqdata.exceptions import InvalidMoment


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2025-02-01T10:00:00Z", "2025-02-01T05:00:00-05:00"),
        ("2025-02-01T10:00:00.512Z", "2025-02-01T05:00:00.512000-05:00"),
        ("2025-07-01T02:00:00+00:00", "2025-06-30T22:00:00-04:00"),
        ("2026-11-01T05:30:00Z", "2026-11-01T01:30:00-04:00"),  # 1:30 comes twice that night:
        ("2026-11-01T06:30:00Z", "2026-11-01T01:30:00-05:00"),  # the offset tells them apart
        ("2026-03-08T06:59:59Z", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08T07:00:00Z", "2026-03-08T03:00:00-04:00"),
    ],
)
def test_utc_is_shown_in_eastern_time(sent: str, shown: str) -> None:
    """A UTC timestamp becomes America/New_York, with the offset of that very moment."""
    assert to_eastern(sent) == shown


@pytest.mark.parametrize(
    "sent", [None, "", "2025-02-03", "2025-02-01T10:00:00", "soon", "0001-01-01T00:00:00Z"]
)
def test_what_is_no_moment_passes_unchanged(sent: str | None) -> None:
    """Dates alone, empty, missing and unreadable values are given back as they came."""
    assert to_eastern(sent) == sent


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2150, 1, 1)))
def test_a_conversion_keeps_the_moment(moment: datetime) -> None:
    """What is shown in Eastern time is the same moment as what was sent, to the microsecond."""
    sent = moment.replace(tzinfo=UTC)
    shown = to_eastern(sent.isoformat())
    assert shown is not None
    assert parse_timestamp(shown) == sent


@given(st.text())
def test_no_text_breaks_the_conversion(text: str) -> None:
    """Whatever the service sends in a timestamp, a text comes back."""
    assert isinstance(to_eastern(text), str)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026", "2026-01-01T05:00:00+00:00"),
        ("2026-11", "2026-11-01T04:00:00+00:00"),
        (" 2026-11-23 ", "2026-11-23T05:00:00+00:00"),
        ("2026-11-23T09:30", "2026-11-23T14:30:00+00:00"),
        ("2026-11-23T09:30Z", "2026-11-23T09:30:00+00:00"),
        ("2026-11-23T09:30+02:00", "2026-11-23T07:30:00+00:00"),
        (date(2026, 7, 4), "2026-07-04T04:00:00+00:00"),
        (datetime(2026, 7, 4, 12), "2026-07-04T16:00:00+00:00"),
        (datetime(2026, 7, 4, 12, tzinfo=UTC), "2026-07-04T12:00:00+00:00"),
    ],
)
def test_a_person_gives_moments_in_many_ways(given: str | date, moment: str) -> None:
    """Years, months, days and times without a zone mean their first instant in the given zone."""
    assert parse_moment(given, EASTERN).isoformat() == moment


@pytest.mark.parametrize("given", ["", "10/11", "2026-13", "0000", "11/23/2026", 2026, None])
def test_other_moments_are_refused(given: object) -> None:
    """What is no date is refused, and the sentence shows what was given."""
    with pytest.raises(InvalidMoment) as refused:
        parse_moment(given, EASTERN)  # type: ignore[arg-type]
    assert repr(given) in str(refused.value)


def test_a_moment_past_the_calendar_is_refused() -> None:
    """The last hours of the year 9999 of a western zone have no UTC, and are refused."""
    with pytest.raises(InvalidMoment):
        parse_moment("9999-12-31T23:00", EASTERN)


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 1, 1)))
def test_days_follow_each_other_without_gap(day: date) -> None:
    """The first instant of a day lies 23, 24 or 25 hours before that of the next day."""
    zone = ZoneInfo("America/New_York")
    length = parse_moment(day + timedelta(days=1), zone) - parse_moment(day, zone)
    assert length in {timedelta(hours=hours) for hours in (23, 24, 25)}
