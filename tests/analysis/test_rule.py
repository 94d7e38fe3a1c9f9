"""A rule is read from the days of a series, and walks on as the series itself does."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st
from payments import table
from tables import fewer

from seqdata.analysis.recur.recurring import recurring
from seqdata.analysis.recur.rule import Rule, occurrences, read_rules
from seqdata.sandbox.world.banking import is_banking_day

#: Two years ahead of here lies the end of a February of 29 days.
TODAY = date(2026, 7, 1)
UNTIL = date(2028, 6, 30)


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def walked(payments: list[tuple[date, int]], today: date = TODAY) -> list[tuple[date, int]]:
    """Return the days and amounts that are due in two years, by all series of these payments."""
    rows = table([(str(day), "Payee", cents) for day, cents in payments])
    series = recurring(rows, now=datetime.combine(today, datetime.min.time(), UTC).replace(hour=12))
    found, days = occurrences(series, day_number(today), day_number(UNTIL))
    dates = [date(1970, 1, 1) + timedelta(days=int(day)) for day in days]
    return sorted(zip(dates, found["usual_cents"].tolist(), strict=True))


def on_day(month: int, day: int) -> date:
    """Return a day of a month counted from January 1970, or its last day."""
    year, month = 1970 + month // 12, month % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def rolled(day: date, way: int) -> date:
    """Move a day to a banking day, one way or the other."""
    while way and not is_banking_day(day):
        day += timedelta(days=way)
    return day


def every(step: int, start: date) -> list[date]:
    """Return the days from a start until the end, some days apart."""
    return [start + timedelta(days=step * turn) for turn in range((UNTIL - start).days // step + 1)]


def each_month(step: int, days: tuple[int, ...], first: int, way: int = 0) -> list[date]:
    """Return days of each month, or each second one ..., moved to banking days."""
    last = (UNTIL.year - 1970) * 12 + UNTIL.month + 1
    made = [rolled(on_day(month, day), way) for month in range(first, last, step) for day in days]
    return [day for day in made if day <= UNTIL]


def split(days: list[date], today: date = TODAY) -> tuple[list[date], list[date]]:
    return [day for day in days if day < today], [day for day in days if day >= today]


@pytest.mark.parametrize("day", [1, 28, 29, 30, 31])
def test_a_day_of_the_month_outlives_a_short_february(day: int) -> None:
    """What comes on a day of the month, or its last one, does so after February too."""
    past, ahead = split(each_month(1, (day,), 54 * 12), date(2026, 2, 1))
    assert walked([(one, 999) for one in past], date(2026, 2, 1)) == [(one, 999) for one in ahead]


def test_a_rent_that_a_weekend_moved_is_due_on_the_first_again() -> None:
    """The rent of the 1st, paid on Monday the 2nd, is due on the 1st where banks are open."""
    days = each_month(1, (1,), 55 * 12, 1)
    past, ahead = split(days, date(2026, 11, 3))
    assert past[-1] == date(2026, 11, 2)
    assert walked([(one, 215_000) for one in past], date(2026, 11, 3))[:3] == [
        (date(2026, 12, 1), 215_000),
        (date(2027, 1, 4), 215_000),
        (date(2027, 2, 1), 215_000),
    ]
    assert [one for one, _ in walked([(one, 1) for one in past], date(2026, 11, 3))] == ahead


def test_two_days_a_month_stay_so_when_one_is_missed() -> None:
    """Of the 5th and the 20th, one that did not come moves neither."""
    past, ahead = split(each_month(1, (5, 20), 55 * 12))
    del past[-1]
    assert [day for day, _ in walked([(one, 4000) for one in past])] == ahead


def test_the_last_banking_day_of_the_month_is_a_rule() -> None:
    """A paycheck of each month's last banking day is due on those days."""
    past, ahead = split(each_month(1, (31,), 54 * 12, -1))
    assert [day for day, _ in walked([(one, 300_000) for one in past])] == ahead


#: Turns since a rule changed: what a rule is read from. Of fewer, the other rule's day of two a
#: month, or its way of giving way to banks, can explain as much as the new one does.
SETTLED = 26


@st.composite
def rules(draw: st.DrawFn) -> list[date]:
    """Draw a rule, and return all its days."""
    way = draw(st.sampled_from([0, 1, -1]))
    kind = draw(st.sampled_from(["days", "months", "half months"]))
    if kind == "days":
        step = draw(st.sampled_from([7, 14, 28, 30, 90, 91]))
        start = date(2022 if step >= 90 else 2024, 1, 1) + timedelta(days=draw(st.integers(0, 60)))
        # Whole weeks keep to a day of the week, which is a banking day but for holidays.
        return [rolled(day, way if step == 30 else 0) for day in every(step, start)]
    if kind == "half months":
        first = draw(st.integers(1, 15))
        return each_month(1, (first, draw(st.integers(first + 14, first + 16))), 53 * 12, way)
    step = draw(st.sampled_from([1, 1, 1, 2, 3, 6, 12]))
    years = 3 if step < 3 else 6
    first = (56 - years) * 12 + draw(st.integers(0, 11))
    # Of few turns a year, too few fall on a weekend to tell which way they go.
    return each_month(step, (draw(st.integers(1, 31)),), first, way if step == 1 else 0)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[date], list[date]]:
    """Draw a rule; return on which days it was seen, and those of its next two years.

    Up to a tenth of the turns was missed, and of many a stretch of three to five.
    """
    past, ahead = split(draw(rules()))
    seen = list(past)
    if len(past) >= 30 and draw(st.booleans()):
        begins = draw(st.integers(6, len(past) - 14))
        del seen[begins : begins + draw(st.integers(3, 5))]
    missed = draw(st.sets(st.integers(1, len(seen) - 2), max_size=len(seen) // 10))
    return [day for place, day in enumerate(seen) if place not in missed], ahead


@st.composite
def bought(draw: st.DrawFn, first: date, most: int) -> list[tuple[date, int]]:
    """Draw purchases at other prices than the series has, on any day, each of its own price."""
    days = st.integers(0, (TODAY - first).days - 1)
    picked = draw(st.lists(days, max_size=most))
    prices = draw(st.lists(st.integers(20_00, 90_00), min_size=most, max_size=most, unique=True))
    return [
        (first + timedelta(days=one), price) for one, price in zip(picked, prices, strict=False)
    ]


@given(histories(), st.integers(1, 2), st.data())
def test_what_is_walked_is_what_the_rule_makes(
    history: tuple[list[date], list[date]], times: int, data: st.DataObject
) -> None:
    """Of any rule, once or twice a turn, among other purchases, the next two years are its own.

    Not where one is of the newest turn's own days: it may be that turn at a new price.
    """
    seen, ahead = history
    bought_then = data.draw(bought(seen[0], len(seen) // 2))
    others = [(day, cents) for day, cents in bought_then if abs((day - seen[-1]).days) > 3]
    found = walked([(day, 1234) for day in seen * times] + others)
    assert found == [(day, 1234) for day in ahead for _ in range(times)]


@given(rules(), rules())
def test_what_is_walked_is_what_the_new_rule_makes(before: list[date], after: list[date]) -> None:
    """Where a rule took the place of another one, the next two years are the new one's."""
    past, ahead = split(after)
    assume(len(past) >= SETTLED)
    old = [day for day in before if day < past[-SETTLED] - timedelta(days=3)]
    assume(len(old) >= 6)
    assert [day for day, _ in walked([(day, 1234) for day in old + past[-SETTLED:]])] == ahead


@given(
    st.tuples(st.integers(1, 40), st.integers(-400, 20_000)),
    st.tuples(st.integers(0, 4), st.integers(0, 681), st.integers(1, 31), st.integers(0, 17)),
    st.sampled_from([0, 1, -1]),
    st.booleans(),
)
def test_a_rule_is_read_as_it_is_written(
    by_days: tuple[int, int], by_months: tuple[int, int, int, int], way: int, is_monthly: bool
) -> None:
    """A rule's text gives the rule back, and dateutil walks it to the same days."""
    if is_monthly:
        pick, anchor, first, apart = by_months
        second = first + apart if apart >= 13 and first < 16 and first + apart <= 31 else 0
        facts = ((1, 2, 3, 6, 12)[pick], anchor, first, second)
    else:
        facts = (*by_days, 0, 0)
    rule = Rule(*np.array([[fact] for fact in (*facts, 0xFFF, way)]))
    [text] = rule.texts()
    again = read_rules([text])
    turns = np.arange(30)[:, None]
    expected = rule.day(turns).ravel()
    assert again.day(turns).ravel().tolist() == expected.tolist()
    standard = list(rrulestr(text.split(" ROLL:")[0]).replace(count=30))
    nominal = [day_number(day.date()) for day in standard]
    assert nominal == rule.nominal(turns).ravel().tolist()
    assert rule.day(rule.nearest(expected[10:11])).tolist() == [expected[10]]


@pytest.mark.parametrize("text", ["", "FREQ=MONTHLY", "DTSTART:20260101 RRULE:FREQ=HOURLY"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    """A text that is no rule of a series is named."""
    with pytest.raises(ValueError, match="is no rule of a series"):
        read_rules([text])


@fewer
@given(st.dates(date(2022, 1, 1), date(2099, 12, 31)), st.sampled_from([1, -1]))
def test_banking_days_are_those_of_the_federal_reserve(day: date, way: int) -> None:
    """What gives way to weekends and holidays lands where a calendar made by hand says."""
    text = f"DTSTART:{day:%Y%m%d} RRULE:FREQ=DAILY ROLL:{'FOLLOWING' if way > 0 else 'PRECEDING'}"
    assert read_rules([text]).day(np.array([0])).tolist() == [day_number(rolled(day, way))]


def test_a_frame_that_was_a_file_still_walks(tmp_path: object) -> None:
    """Series that went through CSV are due on the same days."""
    rows = table([(str(day), "Club", 2500) for day in each_month(1, (30,), 55 * 12)][:18])
    series = recurring(rows, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    path = f"{tmp_path}/series.csv"
    series.to_csv(path, index=False)
    again = pd.read_csv(path)
    span = day_number(TODAY), day_number(UNTIL)
    assert occurrences(again, *span)[1].tolist() == occurrences(series, *span)[1].tolist()


def test_a_payday_that_moved_is_due_on_its_new_day() -> None:
    """Where the newest turns keep to another day of the week, the next ones do so too."""
    past = every(14, date(2025, 1, 3))[:30]
    moved = every(14, past[-1] + timedelta(days=12))
    today = moved[4] + timedelta(days=1)
    found = walked([(day, 200_000) for day in past + moved[:5]], today)
    assert [day for day, _ in found] == moved[5:]


def test_pay_every_two_weeks_that_became_twice_a_month() -> None:
    """After a dozen turns of the 15th and the 28th, these are its days; the past is its own."""
    today = date(2026, 7, 1)
    past = every(14, date(2025, 1, 3))[:26]
    later = [day for day in each_month(1, (15, 28), 56 * 12) if day > past[-1]]
    seen, ahead = split(later, today)
    rows = table([(str(day), "Mill", 200_000) for day in past + seen], source_party="entity")
    series = recurring(rows, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert list(series["times"]) == [len(past + seen)]
    assert [day for day, _ in walked([(day, 1) for day in past + seen], today)] == ahead


def test_a_pause_is_no_end() -> None:
    """What rested for four months and came back is the series it was."""
    past, ahead = split(each_month(1, (7,), 55 * 12))
    seen = past[:7] + past[11:]
    rows = table([(str(day), "Gym", 3900) for day in seen])
    series = recurring(rows, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert list(series["times"]) == [len(seen)]
    assert [day for day, _ in walked([(day, 3900) for day in seen])] == ahead


def test_what_comes_in_summer_is_due_in_summer() -> None:
    """A weekly payment from April to September is due in those months again, and goes on."""
    weekly = [day for day in every(7, date(2024, 4, 2)) if 4 <= day.month <= 9]
    past, ahead = split(weekly, date(2026, 11, 1))
    rows = table([(str(day), "Lawn", 4500) for day in past])
    series = recurring(rows, now=datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert list(series["is_active"]) == [True]
    assert "BYMONTH=4,5,6,7,8,9" in series["rule"][0]
    assert [day for day, _ in walked([(day, 4500) for day in past], date(2026, 11, 1))] == ahead


def test_a_yearly_one_that_was_not_renewed_has_stopped() -> None:
    """What did not come for seven weeks after its day of the year has stopped."""
    rows = table([(f"{year}-06-03", "Domain", 1800) for year in (2023, 2024, 2025)])
    now = datetime(2026, 6, 20, 12, tzinfo=UTC)
    assert list(recurring(rows, now=now)["is_active"]) == [True]
    assert list(recurring(rows, now=now + timedelta(days=40))["is_active"]) == [False]
