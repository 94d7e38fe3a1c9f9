"""The books: recomputed from the list of transfers by the rules of the service alone."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from seqdata.sandbox import Sandbox

NEW_YORK = ZoneInfo("America/New_York")
SEQUENCE = ("Pod", "Port")


def day(text: str) -> str:
    """Find the day of New York of a timestamp."""
    return datetime.fromisoformat(text).astimezone(NEW_YORK).date().isoformat()


def movements(transfer: dict[str, Any]) -> list[tuple[str, str, int]]:
    """When a transfer moves which pod or port, by the table of the service."""
    source, destination = transfer["source"], transfer["destination"]
    cents, status = transfer["amount_cents"], transfer["status"]
    created, updated = transfer["created_at"], transfer["updated_at"]
    moved = []
    if source and source["kind"] in SEQUENCE:
        moved.append((source["id"], created, -cents))
        if status in ("FAILED", "CANCELLED"):
            moved.append((source["id"], updated, cents))
    if destination and destination["kind"] in SEQUENCE and status == "COMPLETE":
        moved.append((destination["id"], updated, cents))
    return moved


def assert_books_balance(box: Sandbox) -> None:
    """Compare every day's balance of every pod and port with opening plus movements."""
    changes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for transfer in box.transfers():
        for account, at, cents in movements(transfer):
            changes[account][day(at)] += cents
    balances = box.balances()
    for account, by_day in changes.items():
        series = balances[account]
        running = series[min(series)]
        first = date.fromisoformat(min(series)) + timedelta(days=1)
        last = date.fromisoformat(max(series))
        for n in range((last - first).days + 1):
            today = (first + timedelta(days=n)).isoformat()
            running += by_day[today]
            assert series[today] == running >= 0, (account, today)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    months=st.integers(1, 14),
    now=st.datetimes(datetime(2022, 1, 1), datetime(2031, 1, 1)),
)
def test_books_balance_every_day(seed: int, months: int, now: datetime) -> None:
    """Opening amount plus movements is each pod's balance on every day, for every seed."""
    box = Sandbox(seed, months, now.replace(tzinfo=NEW_YORK))
    assert_books_balance(box)
    assert any(transfer["status"] == "PENDING" for transfer in box.transfers())
    former = box.now.isoformat()[:19]
    before = {transfer["id"] for transfer in box.transfers()}
    box.advance(days=9, hours=5)
    assert_books_balance(box)
    new = [transfer for transfer in box.transfers() if transfer["id"] not in before]
    assert any(transfer["created_at"] < former for transfer in new), "no late row appeared"


def test_books_of_the_default_world_balance(household: Sandbox) -> None:
    """The default world's books balance, and today's balance is the one the API shows."""
    assert_books_balance(household)


def test_balances_of_the_api_are_the_last_day_of_the_truth(
    household: Sandbox, reading: Any
) -> None:
    """What the API shows now is the last value of the truth, and unknown ones have no days."""
    query = """{ me { memberships { organization {
        pods { id metadata { balance { cents } } } ports { id metadata { balance { cents } } }
        accounts { id metadata { ... on PlaidMetadata { balance { cents } }
          ... on MethodMetadata { balance { cents } } } } } } } }"""
    organization = reading.graphql(query).json["data"]["me"]["memberships"][0]["organization"]
    truth = household.balances()
    for node in organization["pods"] + organization["ports"] + organization["accounts"]:
        days = truth[node["id"]]
        shown = (node["metadata"].get("balance") or {}).get("cents")
        assert shown == (days[max(days)] if days else None)


def test_postings_are_the_movements(household: Sandbox) -> None:
    """The postings of each transfer say the same as the rules of the service."""
    own = {transfer["id"]: transfer for transfer in household.transfers()}
    kinds = {
        party["id"]: party["kind"]
        for transfer in own.values()
        for party in (transfer["source"], transfer["destination"])
        if party
    }
    for transfer in own.values():
        posted = [
            (posting["account_id"], posting["at"], posting["cents"])
            for posting in transfer["postings"]
            if kinds[posting["account_id"]] in SEQUENCE
        ]
        expected = movements(transfer)
        was_refused = not posted and transfer["created_at"] == transfer["updated_at"]
        assert sorted(posted) == sorted(expected) or was_refused


def test_same_parameters_make_the_same_world() -> None:
    """Two sandboxes of the same parameters hold the same transfers and balances."""
    one, two = Sandbox(3, 4, "2025-03-20"), Sandbox(3, 4, "2025-03-20")
    assert one.transfers() == two.transfers()
    assert one.balances() == two.balances()
    assert one.transfers() != Sandbox(4, 4, "2025-03-20").transfers()


def test_a_world_stays_the_world_it_was() -> None:
    """The transfers of known parameters are the ones they were when this digest was taken."""
    text = json.dumps(Sandbox(3, 5, "2026-11-01", scale=4).transfers(), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == "f52db4488b130e0ae611292f2679c34c67307392ca0393581d9aeefca26642fb"


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.integers(0, 400_000), min_size=1, max_size=12))
def test_advancing_in_steps_equals_advancing_at_once(steps: list[int]) -> None:
    """However time is cut into steps, the same world comes out."""
    stepped, at_once = Sandbox(5, 1, "2026-03-01"), Sandbox(5, 1, "2026-03-01")
    for seconds in steps:
        stepped.advance(seconds=seconds)
    at_once.advance(seconds=sum(steps))
    assert stepped.now == at_once.now
    assert stepped.transfers() == at_once.transfers()
    assert stepped.balances() == at_once.balances()


def test_a_later_now_continues_the_same_world() -> None:
    """A world made up to a later `now` from the same first day is the earlier one, advanced."""
    early, late = Sandbox(7, 1, "2026-03-15"), Sandbox(7, 3, "2026-05-15")
    early.advance(days=61)
    assert early.now == late.now
    assert early.transfers() == late.transfers()


def test_each_organization_has_its_own_books() -> None:
    """Organizations share no account and no transfer, and each one's books balance."""
    box = Sandbox(7, 2, "2026-11-01", organizations=3)
    assert_books_balance(box)
    ids = [{row["id"] for row in box.transfers(one)} for one in box.organization_ids]
    assert all(ids)
    assert sum(map(len, ids)) == len(set().union(*ids)) == len(box.transfers())


def test_scale_makes_more_transfers_and_keeps_the_books() -> None:
    """A world of scale 20 has about twenty times the transfers, and its books balance."""
    small, large = Sandbox(7, 2, "2026-11-01"), Sandbox(7, 2, "2026-11-01", scale=20)
    assert 14 < len(large.transfers()) / len(small.transfers()) < 26
    assert_books_balance(large)
