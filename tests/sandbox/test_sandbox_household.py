"""The household: what a person would find in it, and what real data has."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from seqdata.sandbox import Sandbox
from seqdata.sandbox.world.banking import add_banking_days, holidays, is_banking_day

NEW_YORK = ZoneInfo("America/New_York")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows(household: Sandbox) -> Rows:
    """All transfers of the default world."""
    return household.transfers()


def local(text: str) -> datetime:
    """Read a timestamp in New York."""
    return datetime.fromisoformat(text).astimezone(NEW_YORK)


def names(rows: Rows) -> set[str]:
    """Every name of a party."""
    return {p["name"] for row in rows for p in (row["source"], row["destination"]) if p}


def between(rows: Rows, source: str, destination: str) -> Rows:
    """Pick the transfers between two kinds of party."""
    return [
        row
        for row in rows
        if row["source"]
        and row["destination"]
        and (row["source"]["kind"], row["destination"]["kind"]) == (source, destination)
    ]


def test_two_years_hold_about_four_thousand_transfers(rows: Rows) -> None:
    """24 months at scale 1 are about 4,000 transfers, and reach back to the first day."""
    assert 3_700 < len(rows) < 4_500
    assert rows[-1]["created_at"] < "2024-11-03"


def test_every_documented_kind_is_there(rows: Rows) -> None:
    """Each row of the service's table of kinds has its examples."""
    kinds = Counter(
        (
            row["source"] and row["source"]["kind"],
            row["destination"]["kind"],
            row["direction"],
            row["activity_type"],
            row["details"]["kind"],
        )
        for row in rows
    )
    expected = [
        ("ExternalEntity", "Port", "INCOMING", "MONEY_IN", "simple"),
        ("ExternalEntity", "Port", "INCOMING", "DIRECT_DEPOSIT", "simple"),
        ("Port", "Pod", "INTERNAL", "RULE", "simple"),
        ("Pod", "Pod", "INTERNAL", "RULE", "simple"),
        ("Pod", "Pod", "INTERNAL", "ONE_TIME_TRANSFER", "simple"),
        ("Pod", "Merchant", "OUTGOING", "CARD_PURCHASE", "simple"),
        ("Merchant", "Pod", "INCOMING", "CARD_REFUND", "simple"),
        ("ExternalEntity", "Pod", "INCOMING", "CASHBACK", "simple"),
        ("Pod", "ExternalEntity", "OUTGOING", "PULLED_FROM_SEQUENCE", "simple"),
        ("Pod", "Account", "OUTGOING", "ONE_TIME_TRANSFER", "simple"),
        ("Pod", "Account", "OUTGOING", "RULE", "simple"),
        ("Pod", "Account", "OUTGOING", "ACH", "simple"),
        ("Port", "Account", "OUTGOING", "RULE", "simple"),
        ("Account", "Pod", "INCOMING", "ONE_TIME_TRANSFER", "simple"),
        ("Account", "Pod", "INCOMING", "ACH", "simple"),
        ("Account", "Account", "OUTGOING", "RULE", "compound"),
        ("Account", "Account", "OUTGOING", "ONE_TIME_TRANSFER", "compound"),
    ]
    assert [kind for kind in expected if kind not in kinds] == []


def test_statuses_of_every_sort_are_there(rows: Rows) -> None:
    """There are pending, failed with a reason, cancelled ones, and one never seen before."""
    statuses = Counter(row["status"] for row in rows)
    assert {"PENDING", "COMPLETE", "FAILED", "CANCELLED", "UNDER_REVIEW"} <= set(statuses)
    assert all(row["error_reason"] for row in rows if row["status"] == "FAILED")


def test_money_never_goes_missing_from_a_final_row(rows: Rows) -> None:
    """No updatedAt lies before its createdAt, and amounts are positive whole cents."""
    for row in rows:
        assert row["updated_at"][:19] >= row["created_at"][:19]
        assert isinstance(row["amount_cents"], int)
        assert row["amount_cents"] > 0


def test_names_are_as_hard_as_real_ones(rows: Rows, household: Sandbox) -> None:
    """Names hold accents, emoji, commas, quotes, newlines, a leading = and the word NA."""
    found = names(rows)
    for sign in ("é", "🍜", ",", '"', "\n"):
        assert any(sign in name for name in found), sign
    assert any(name.startswith("=") for name in found)
    assert "NA" in found
    assert {"Kids", "KIDS"} <= found
    descriptions = {row["description"] for row in rows}
    assert {"=1+1", "two\nlines", "NA", "00123", "", None} <= descriptions


def test_a_deleted_pod_lives_on_in_old_transfers(rows: Rows, reading: Any) -> None:
    """A deleted pod is not listed any more, cannot be asked for, and old transfers name it."""
    query = "{ me { memberships { organization { pods { id name } } } } }"
    organization = reading.graphql(query).json["data"]["me"]["memberships"][0]["organization"]
    listed = {pod["name"] for pod in organization["pods"]}
    assert {"Old Car Fund"} == {
        party["name"]
        for row in rows
        for party in (row["source"], row["destination"])
        if party and party["kind"] == "Pod" and party["name"] not in listed
    }
    assert len(listed) == 12


def test_some_parties_are_hard_to_name(rows: Rows) -> None:
    """There is a counterparty without an id, and a transfer without a source."""
    assert any(row["source"] is None for row in rows)
    parties = [p for row in rows for p in (row["source"], row["destination"]) if p]
    assert all((p["id"] is None) == (p["kind"] == "ExternalEntity") for p in parties)


def test_hours_of_both_clock_changes_are_there(rows: Rows) -> None:
    """There are transfers in the hours before and after both daylight-saving switches."""
    instants = {row["created_at"][:13] for row in rows}
    assert {"2025-03-09T06", "2025-03-09T07", "2025-11-02T05", "2025-11-02T06"} <= instants


def test_midnights_and_ends_of_months_are_there(rows: Rows) -> None:
    """There are transfers in the last and in the first moment of a month, here and in UTC."""
    assert any(row["created_at"].endswith("23:59:59.999Z") for row in rows)
    wall = [local(row["created_at"]) for row in rows]
    assert any((at.day, at.hour, at.minute, at.second) == (1, 0, 0, 0) for at in wall)
    assert any(
        (at + timedelta(milliseconds=1)).day == 1 and at.microsecond == 999_000 for at in wall
    )
    utc = [row["created_at"][8:] for row in rows]
    assert any(text == "01T00:00:00Z" for text in utc)


def test_timestamps_come_with_and_without_fractions(rows: Rows) -> None:
    """Some timestamps have milliseconds, and some have none."""
    lengths = Counter(len(row["created_at"]) for row in rows)
    assert set(lengths) == {20, 24}
    assert min(lengths.values()) > 500


def test_a_paycheck_is_split_within_minutes(rows: Rows) -> None:
    """Rules divide a paycheck completely, soon after it arrived, for the reason money in."""
    check = next(
        row
        for row in rows
        if row["activity_type"] == "DIRECT_DEPOSIT" and row["status"] == "COMPLETE"
    )
    arrived = local(check["updated_at"])
    split = [
        row
        for row in rows
        if row["source"]
        and row["source"]["id"] == check["destination"]["id"]
        and timedelta(0) <= local(row["created_at"]) - arrived < timedelta(minutes=10)
    ]
    assert sum(row["amount_cents"] for row in split) == check["amount_cents"]
    assert {row["activity_type"] for row in split} == {"RULE"}
    assert {row["rule"]["trigger_type"] for row in split} == {"ON_MONEY_IN"}


def test_scheduled_rules_carry_a_cron(rows: Rows) -> None:
    """A rule on a schedule says which, and transfers made by hand have no rule."""
    for row in rows:
        assert (row["rule"] is not None) == (row["activity_type"] == "RULE")
        if row["rule"] and row["rule"]["trigger_type"] == "SCHEDULED":
            assert len(row["rule"]["trigger_cron"].split()) == 5


def test_one_subscription_changes_its_price_and_one_stops(rows: Rows) -> None:
    """A subscription costs more from some month on, and another is charged no more."""
    streamly = [
        r for r in rows if r["destination"]["name"] == "Streamly" and r["status"] != "FAILED"
    ]
    prices = [row["amount_cents"] for row in reversed(streamly)]
    assert set(prices) == {1549, 1799}
    assert prices == sorted(prices)
    gym = [row["created_at"] for row in rows if row["destination"]["name"] == "GymBox"]
    assert len(gym) > 5
    assert max(gym) < "2025-12"


def test_rent_is_paid_on_the_first(rows: Rows) -> None:
    """Rent leaves on the first of each month, and is always paid."""
    rent = [r for r in rows if r["destination"]["name"] == "Maple Street Apartments"]
    assert len(rent) >= 24
    assert {local(row["created_at"]).day for row in rent} == {1}
    assert all(row["status"] in ("COMPLETE", "PENDING") for row in rent)


def test_outside_transfers_settle_in_banking_time(rows: Rows) -> None:
    """Money to the outside takes the same day before 15:00, else 1 to 3 banking days."""
    for row in between(rows, "Pod", "Account"):
        is_loan = row["destination"]["name"] in ("Travel Card", "Student Loan Servicer")
        if row["status"] != "COMPLETE" or is_loan or "Grandma" in row["destination"]["name"]:
            continue
        created, done = local(row["created_at"]), local(row["updated_at"])
        is_same_day = is_banking_day(created.date()) and created.hour < 15
        allowed = (
            [created.date()]
            if is_same_day
            else [add_banking_days(created.date(), n) for n in (1, 2, 3)]
        )
        assert done.date() in allowed
        assert row["details"]["status"]["expected_on"] == done.date().isoformat()


def test_pulled_money_takes_two_or_three_banking_days(rows: Rows) -> None:
    """Money from the outside arrives on the second or third banking day."""
    for row in between(rows, "Account", "Pod"):
        created = local(row["created_at"]).date()
        allowed = [add_banking_days(created, n) for n in (2, 3)]
        assert date.fromisoformat(row["details"]["status"]["expected_on"]) in allowed


def test_liabilities_are_credited_within_a_week(rows: Rows) -> None:
    """A payment of a liability takes 2 to 7 days and is credited on a banking day."""
    paid = [r for r in rows if r["destination"]["name"] in ("Travel Card", "Student Loan Servicer")]
    assert len(paid) > 40
    for row in paid:
        days = date.fromisoformat(row["details"]["status"]["expected_on"])
        assert 2 <= (days - local(row["created_at"]).date()).days <= 7
        assert is_banking_day(days)


def test_compound_transfers_show_every_fate(rows: Rows) -> None:
    """Compound ones complete, are reversed after a failed push, or days after COMPLETE."""
    found = [row for row in rows if row["details"]["kind"] == "compound"]
    done = [row for row in found if row["status"] == "COMPLETE"]
    assert any(row["details"]["reversal"] is None for row in done)
    late = [row for row in done if row["details"]["reversal"]]
    assert late
    for row in late:
        reversal = datetime.fromisoformat(row["details"]["reversal"]["created_at"])
        assert reversal - datetime.fromisoformat(row["updated_at"]) > timedelta(days=2)
    failed = [row for row in found if row["status"] == "FAILED"]
    assert failed
    assert all(row["details"]["push"]["status"] == "FAILED" for row in failed)
    assert {row["details"]["reversal"]["status"] for row in failed} <= {"PENDING", "COMPLETE"}


def test_late_rows_appear_with_an_older_date(box: Sandbox) -> None:
    """After some days there are rows whose createdAt lies before the former `now`."""
    before = {row["id"] for row in box.transfers()}
    now = box.now.isoformat()[:19]
    box.advance(days=10)
    late = [r for r in box.transfers() if r["id"] not in before and r["created_at"] < now]
    assert late


def test_advancing_brings_news(box: Sandbox) -> None:
    """Ten days bring a paycheck, settle what was pending, and never change a createdAt."""
    before = {row["id"]: row for row in box.transfers()}
    box.advance(days=10)
    after = {row["id"]: row for row in box.transfers()}
    assert set(before) < set(after)
    assert all(after[own_id]["created_at"] == row["created_at"] for own_id, row in before.items())
    settled = [r for r in before.values() if r["status"] == "PENDING"]
    assert any(after[row["id"]]["status"] == "COMPLETE" for row in settled)
    new = [row for own_id, row in after.items() if own_id not in before]
    assert any(row["activity_type"] in ("MONEY_IN", "DIRECT_DEPOSIT") for row in new)


def test_savings_grow(household: Sandbox, rows: Rows) -> None:
    """The emergency fund grows from year to year towards its goal."""
    fund = next(
        r["destination"]["id"]
        for r in rows
        if r["destination"]["name"] == "Emergency Fund" and r["destination"]["kind"] == "Pod"
    )
    days = household.balances()[fund]
    assert days["2024-11-01"] < days["2025-05-01"] < days["2025-11-01"] < days["2026-10-31"]


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        ("2026-07-03", True),
        ("2026-07-04", False),
        ("2027-07-05", False),
        ("2026-11-26", False),
        ("2026-10-12", False),
        ("2026-05-25", False),
        ("2026-01-19", False),
        ("2026-11-02", True),
        ("2023-01-02", False),
    ],
)
def test_banking_days_follow_the_federal_reserve(day: str, is_open: bool) -> None:
    """Federal holidays are closed; a Sunday one moves to Monday, a Saturday one nowhere."""
    assert is_banking_day(date.fromisoformat(day)) is is_open
    assert len(holidays(2026)) == 11
