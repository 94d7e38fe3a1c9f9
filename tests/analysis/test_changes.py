"""What is new or different, told in words: what syncs found, each once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from seqdata import Ledger
from seqdata.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=2, now="2026-11-01") as running:
        yield running


@pytest.fixture
def ledger(box: Sandbox, tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.demo(sandbox=box, folder=tmp_path) as opened:
        opened.sync(progress=False)
        yield opened


def counted(found: pd.DataFrame) -> dict[str, int]:
    counts = found["what"].value_counts()
    return {what: int(count) for what, count in counts.items() if count}


def test_at_first_everything_is_new_and_then_nothing(ledger: Ledger) -> None:
    """The first look tells each transfer and account as new, and the next one nothing."""
    found = ledger.changes()
    assert counted(found) == {"new": len(ledger.transfers), "opened": len(ledger.accounts)}
    ledger.note_look()
    again = ledger.changes()
    assert again.empty
    assert again.dtypes.to_dict() == found.dtypes.to_dict()


def test_a_look_tells_what_the_syncs_since_the_last_one_found(ledger: Ledger, box: Sandbox) -> None:
    """What came, changed, vanished and was renamed is told once, newest first, in words."""
    ledger.note_look()
    pod = ledger.pods.set_index("name").loc["Groceries", "id"]
    box.advance(days=6)
    gone = box.transfers()[3]["id"]
    box.remove_transfers([gone])
    first = ledger.sync(progress=False)
    box.rename(pod, "Food")
    box.restore_transfers([gone])
    box.advance(days=1)
    second = ledger.sync(progress=False)
    found = ledger.changes()
    counts = counted(found)
    assert counts["new"] == first.added + second.added
    assert counts["renamed"] == 1
    assert counts["changed"] + counts.get("back", 0) == first.updated + second.updated
    assert found["at"].is_monotonic_decreasing
    assert found.loc[found["what"] == "renamed", "sentence"].item() == (
        "Groceries is called Food now"
    )
    settled = found[found["sentence"].str.contains("state open → settled")]
    assert set(settled["id"]) <= set(ledger.transfers["id"])
    assert len(settled)
    ledger.note_look()
    assert ledger.changes().empty


def test_a_moment_of_ones_own_tells_again(ledger: Ledger, box: Sandbox) -> None:
    """With a moment of one's own, what was looked at already is told again."""
    ledger.note_look()
    then = box.now
    box.advance(days=5)
    ledger.sync(progress=False)
    asked = ledger.changes(since=then.isoformat())
    looked = ledger.changes()
    assert len(asked) >= len(looked) > 0
    assert set(looked["id"]) <= set(asked["id"])


def test_since_the_last_sync_only_what_later_ones_found_is_told(
    ledger: Ledger, box: Sandbox
) -> None:
    """Asked since the moment of a sync, what that very sync found is not new any more."""
    then = ledger.certificate().last_sync_at
    assert ledger.changes(since=then).empty
    box.advance(days=5)
    report = ledger.sync(progress=False)
    found = ledger.changes(since=then)
    assert counted(found)["new"] == report.added > 0


def test_a_report_writes_moments_by_the_clock_of_the_zone(ledger: Ledger, box: Sandbox) -> None:
    """A moment that changed stands in the report as the ledger shows it, with its offset."""
    box.advance(days=5)
    changed = ledger.sync(progress=False).changes
    moved = changed[changed["column"] == "updated_at"]
    rows = ledger.transfers.set_index("id")["updated_at"]
    assert len(moved)
    assert {one.id: pd.Timestamp(one.after) for one in moved.itertuples()} == {
        own_id: rows[own_id].floor("us") for own_id in moved["id"]
    }
    assert moved["after"].str.fullmatch(r"\S{10} [\d:.]+-0[45]:00").all()
