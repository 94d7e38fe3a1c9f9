"""Where observed balances disagree with the movements between them."""

from __future__ import annotations

import pandas as pd
import pytest
from tables import accounts, balances, legs, moments, transfers

from seqdata.analysis import reconcile


def test_a_world_whose_details_are_known_agrees_with_itself(world) -> None:
    """With all details, no two observations of a pod disagree with the movements between."""
    assert len(reconcile(world.transfers, world.legs, world.accounts, world.balances)) == 0


def test_a_lost_transfer_shows_as_its_amount_and_where_it_was(world) -> None:
    """A transfer that is missing here shows at its pod, between the observations around it."""
    moved = world.transfers
    seen = world.balances[world.balances["account_id"].isin(world.inside["id"])]
    between = seen["as_of"].min(), seen["as_of"].max()
    inside = moved[
        (moved["direction"] == "OUTGOING")
        & (moved["source_party"] == "pod")
        & (moved["state"] == "settled")
        & moved["created_at"].between(*between)
    ]
    lost = inside.iloc[0]
    rest = moved[moved["id"] != lost["id"]].reset_index(drop=True)
    found = reconcile(rest, world.legs, world.accounts, world.balances)
    assert found["account_id"].tolist() == [lost["source_id"]]
    assert found["difference_cents"].tolist() == [-lost["amount_cents"]]
    assert found["since"].iloc[0] <= lost["created_at"] <= found["until"].iloc[0]
    assert (found["observed_cents"] - found["moved_cents"] == found["difference_cents"]).all()


def disagreement(*rows: str, known=(), seen=(5000, 4000)) -> pd.Series:
    found = reconcile(
        transfers(*rows),
        legs(*known),
        accounts("pod1"),
        balances(f"pod1 2026-03-02T15:00Z {seen[0]}", f"pod1 2026-03-09T15:00Z {seen[1]}"),
    )
    assert len(found) == 1
    return found.iloc[0]


BEFORE = "2026-03-01T12:00Z 2026-03-01T12:00Z 1 pod1 shop1"


def test_an_open_transfer_of_the_very_amount_is_named_first() -> None:
    """Of several that could explain a difference, one of exactly its amount comes first."""
    row = disagreement(
        BEFORE,
        "2026-03-05T12:00Z 2026-03-05T12:00Z 70 firm1 pod1 open",
        "2026-03-04T12:00Z 2026-03-04T12:00Z 1000 firm1 pod1 UNDER_REVIEW",
        seen=(5000, 6000),
    )
    assert row["candidate_ids"] == "t2 t1"
    assert row["explanation"] == (
        "A transfer of exactly $10.00 is open, so whether it has moved yet is not sure."
    )


def test_a_transfer_without_details_may_explain_a_difference() -> None:
    """An arrival of unknown moment near an observation is a candidate until its legs are here."""
    arrival = "2026-03-01T12:00Z 2026-03-05T12:00Z 1000 firm1 pod1"
    row = disagreement(BEFORE, arrival, seen=(6000, 6000))
    assert (row["candidates"], row["candidate_ids"]) == (1, "t1")
    assert "without fetched details" in row["explanation"]


def test_a_difference_that_nothing_explains_says_so() -> None:
    """Where no transfer is in doubt, the row says that one may be missing, and what to do."""
    row = disagreement(BEFORE)
    assert (row["difference_cents"], row["candidates"]) == (-1000, 0)
    assert "A full sync reads everything again" in row["explanation"]


@pytest.mark.parametrize("first", [5000, 4000], ids=["seen before", "seen after"])
def test_a_payment_in_the_second_of_a_sync_may_be_on_either_side(first: int) -> None:
    """A payment made in the very second of a sync is no difference, whichever came first."""
    found = reconcile(
        transfers("2026-03-02T15:00:00Z 2026-03-02T15:00:00Z 1000 pod1 shop1"),
        legs(),
        accounts("pod1"),
        balances(f"pod1 2026-03-02T15:00:00Z {first}", "pod1 2026-03-02T15:00:01Z 4000"),
    )
    assert len(found) == 0


def test_a_transfer_that_vanished_may_explain_a_difference() -> None:
    """One that the service does not list any more moves nothing, and is named as the reason."""
    rows = transfers(BEFORE, "2026-03-04T12:00Z 2026-03-04T12:00Z 1000 pod1 shop1")
    gone = [None, "2026-03-10T12:00Z"]
    found = reconcile(
        rows.assign(removed_at=moments(gone)),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-02T15:00Z 5000", "pod1 2026-03-09T15:00Z 4000"),
    )
    assert found["candidate_ids"].tolist() == ["t1"]
    assert found["explanation"].tolist() == [
        "A transfer of exactly $10.00 is removed: the service does not list it any more."
    ]


def test_a_payment_read_within_the_second_of_a_sync_is_no_difference() -> None:
    """A clock of whole seconds does not make a transfer just before a sync look missing."""
    found = reconcile(
        transfers("2026-03-02T15:00:00.400Z 2026-03-02T15:00:00.400Z 1000 pod1 shop1"),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-01T15:00Z 5000", "pod1 2026-03-02T15:00:00Z 4000"),
    )
    assert len(found) == 0
