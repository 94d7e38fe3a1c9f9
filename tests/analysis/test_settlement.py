"""When a transfer took effect, and on what that rests."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from payments import table

from seqdata import Ledger
from seqdata.analysis.settlement import BASES, settle

ZONE = "America/New_York"
DAY = pd.Timedelta(days=1)
MADE = pd.Timestamp("2026-10-05T12:00", tz=ZONE)


def rows(**others: Any) -> pd.DataFrame:
    made = table([("2026-10-05", "Shop", 1_000)], **others).drop(columns="effective_at")
    return made.assign(updated_at=others.get("updated_at", MADE + 2 * DAY))


def leg(kind: str, at: pd.Timestamp | None, state: str = "settled") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["0"],
            "leg": [kind],
            "state": [state],
            "completed_at": pd.Series([at], dtype=f"datetime64[us, {ZONE}]"),
        }
    )


NO_LEGS = leg("push", MADE).iloc[:0]
EMPTY = pd.Series([pd.NaT], dtype=f"datetime64[us, {ZONE}]")


def told(found: pd.DataFrame) -> tuple[Any, Any]:
    basis = found["effective_basis"].iloc[0]
    at = found["effective_at"].iloc[0]
    return (None if pd.isna(basis) else basis, None if pd.isna(at) else at - MADE)


@pytest.mark.parametrize(
    ("said", "legs", "others", "expected"),
    [
        (MADE + DAY, leg("push", MADE + 3 * DAY), {}, ("said", DAY)),
        (None, leg("push", MADE + 3 * DAY), {}, ("said", 3 * DAY)),
        (None, leg("payment", MADE + 3 * DAY), {}, ("said", 3 * DAY)),
        (None, leg("push", MADE, "failed"), {}, ("estimated", 2 * DAY)),
        (None, leg("push", None), {}, ("estimated", 2 * DAY)),
        (None, leg("pull", MADE), {}, ("estimated", 2 * DAY)),
        (None, NO_LEGS, {"direction": "INTERNAL"}, ("at once", 0 * DAY)),
        (None, NO_LEGS, {"updated_at": MADE + 40 * DAY}, ("estimated", 7 * DAY)),
        (MADE + DAY, NO_LEGS, {"state": "open"}, (None, None)),
        (MADE + DAY, NO_LEGS, {"state": "failed"}, (None, None)),
    ],
)
def test_the_moment_rests_on_what_was_said_and_else_on_an_estimate(
    said: Any, legs: pd.DataFrame, others: dict[str, Any], expected: tuple[Any, Any]
) -> None:
    """The row's own word comes before a leg's, then at once, then an estimate of a week at most."""
    made = rows(**others)
    given = made if said is None else made.assign(settled_at=said)
    assert told(settle(given, legs)) == expected


def test_a_column_that_is_there_is_no_knowledge() -> None:
    """Empty columns of a source say nothing: legs and estimates count as if they were not there."""
    empty = rows().assign(settled_at=EMPTY, returned_at=EMPTY)
    for legs in (NO_LEGS, leg("push", MADE + DAY), leg("reversal", MADE + 4 * DAY)):
        pd.testing.assert_frame_equal(
            settle(empty, legs)[sorted(empty)], settle(rows(), legs)[sorted(empty)]
        )
        assert told(settle(empty, legs)) == told(settle(rows(), legs))
    back = settle(rows(), leg("reversal", MADE + 4 * DAY))["returned_at"].iloc[0]
    assert back == MADE + 4 * DAY


@pytest.mark.parametrize(("updated", "expected"), [(2, 2.0), (0, 1.0), (5, 3.0), (40, 3.0)])
def test_two_readings_bound_an_estimate(updated: int, expected: float) -> None:
    """Seen open and then settled, it took effect in between, whatever its last change says."""
    made = rows(updated_at=MADE + updated * DAY)
    open_then = made.assign(state="open", valid_from=MADE + DAY, valid_until=MADE + 3 * DAY)
    earlier = made.assign(state="open", valid_from=MADE, valid_until=MADE + DAY)
    settled_too = made.assign(valid_from=MADE + 3 * DAY, valid_until=MADE + 9 * DAY)
    history = pd.concat([settled_too, open_then, earlier], ignore_index=True)
    assert told(settle(made, NO_LEGS, history)) == ("bounded", expected * DAY)
    assert told(settle(made, leg("push", MADE), history)) == ("said", 0 * DAY)


def test_a_ledger_tells_on_what_each_moment_rests(tmp_path: Path) -> None:
    """Over several syncs, what took effect did so when the service's books say, or between two
    readings, and each sum takes what a ledger knows."""
    with Ledger.demo(months=2, now="2026-11-01", folder=tmp_path) as ledger:
        assert ledger.sandbox is not None
        for _ in range(3):
            ledger.sync(progress=False)
            ledger.sandbox.advance(days=3)
        read_at = ledger.runs["read_at"].dropna().tolist()
        guessed = ledger.categorized().set_index("id")
        ledger.sync(details="all", details_per_request=25, progress=False)
        exact = ledger.categorized().set_index("id")
    assert guessed["effective_basis"].cat.categories.tolist() == list(BASES)
    bounded = guessed[guessed["effective_basis"] == "bounded"]
    assert len(bounded) > 0
    truth = exact.loc[bounded.index, "settled_at"].dropna()
    assert len(truth) > 0
    apart = (bounded["effective_at"].loc[truth.index] - truth).abs()
    assert (apart <= max(b - a for a, b in pairwise(read_at))).all()
    assert (exact.loc[exact["settled_at"].notna(), "effective_basis"] == "said").all()
    assert guessed["settled_at"].isna().all()
