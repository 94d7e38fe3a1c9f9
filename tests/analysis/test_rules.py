"""What the rules moved, by trigger and by the two ends of the move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from payments import table

from seqdata import Ledger
from seqdata.analysis.rules import rules


def details(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    """Make details of id, trigger type and cron."""
    columns = ["id", "rule_trigger_type", "rule_trigger_cron"]
    return pd.DataFrame(list(rows), columns=columns).astype("str")


def made(**others: Any) -> pd.DataFrame:
    """Make five transfers to two pods, of which a rule made four."""
    payments = [
        ("2026-10-01", "kids", 5000),
        ("2026-10-08", "kids", 6000),
        ("2026-10-15", "kids", 7000),
        ("2026-10-20", "rent", 9000),
        ("2026-10-21", "rent", 1111),
    ]
    state = ["settled", "failed", "settled", "open", "settled"]
    kinds = ["rule"] * 4 + ["by_hand"]
    return table(payments, state=state, kind=kinds).assign(**others)


DETAILS = details(
    ("0", "SCHEDULED", "0 9 * * *"),
    ("1", "SCHEDULED", "0 9 * * *"),
    ("2", "SCHEDULED", "0 9 * * *"),
    ("3", "ON_MONEY_IN", None),
    ("4", None, None),
)


def test_a_rule_s_sums_and_failures_are_told() -> None:
    """Of one trigger and two ends: how many, how much moved, how much failed, and when."""
    found = rules(made(), DETAILS).iloc[0]
    assert (found.trigger_type, found.trigger_cron) == ("SCHEDULED", "0 9 * * *")
    assert (found.source_id, found.destination_id) == ("pod", "kids")
    assert (found.source_name, found.destination_name) == ("Bills", "kids")
    assert (found.transfers, found.moved_cents, found.moved) == (3, 12_000, 120.0)
    assert (found.failed_transfers, found.failed_cents, found.failed) == (1, 6000, 60.0)
    assert found.success == pytest.approx(2 / 3)
    assert (found.first_date, found.last_date) == tuple(
        pd.to_datetime(["2026-10-01", "2026-10-15"])
    )


def test_what_is_on_its_way_is_neither_moved_nor_failed() -> None:
    """A pending transfer is counted, and its success is not known."""
    found = rules(made(), DETAILS).iloc[1]
    assert (found.trigger_type, found.transfers, found.moved_cents) == ("ON_MONEY_IN", 1, 0)
    assert (found.failed_transfers, found.failed_cents) == (0, 0)
    assert pd.isna(found.success)
    assert pd.isna(found.trigger_cron)


def test_what_no_rule_made_is_left_out() -> None:
    """Transfers by hand are not of a rule."""
    assert rules(made(), DETAILS)["transfers"].sum() == 4


def test_a_known_trigger_makes_a_rule_of_any_activity() -> None:
    """A transfer whose details name a trigger is a rule's, whatever its activity type says."""
    named = details(("4", "SCHEDULED", "0 1 * * *"))
    found = rules(made(), named)
    assert found.loc[found["trigger_type"].notna(), "moved_cents"].tolist() == [1111]


def test_without_details_a_rule_s_transfers_are_counted_too() -> None:
    """What a rule made whose trigger was not fetched is in a row without a trigger."""
    found = rules(made(), details())
    assert found["trigger_type"].isna().all()
    assert found["destination_id"].tolist() == ["kids", "rent"]
    assert found["transfers"].tolist() == [3, 1]


def test_a_reversal_is_a_failure() -> None:
    """What completed and came back did not move."""
    transfers = made()
    back = transfers["created_at"].where(transfers["id"] == "0")
    found = rules(transfers.assign(returned_at=back), DETAILS).iloc[0]
    assert (found.moved_cents, found.failed_transfers, found.failed_cents) == (7000, 2, 11_000)


def test_a_party_without_an_id_is_known_by_its_name() -> None:
    """Parties without an id are told apart by name, and have no id in the answer."""
    transfers = made(destination_id=pd.Series([None] * 5, dtype="str"))
    found = rules(transfers, DETAILS)
    assert found["destination_name"].tolist() == ["kids", "rent"]
    assert found["destination_id"].isna().all()


def test_the_order_of_rows_changes_nothing() -> None:
    """Reversed transfers and details give the same table."""
    expected = rules(made(), DETAILS)
    pd.testing.assert_frame_equal(rules(made()[::-1], DETAILS[::-1]), expected)


def test_nothing_gives_an_empty_frame_of_the_same_kind() -> None:
    """No transfers give no rows, and the columns and dtypes of any other answer."""
    none = rules(made().iloc[:0], details())
    assert none.empty
    some = rules(made(), DETAILS)
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """Open a sandbox's household of six months, with all details."""
    with Ledger.demo(seed=7, months=6, now="2026-11-01") as opened:
        opened.sync(details="all", details_per_request=25, progress=False)
        yield opened


def test_the_sandbox_s_own_rules_are_found(ledger: Ledger) -> None:
    """Sums by trigger and ends equal those of the sandbox's own books."""
    assert ledger.sandbox is not None
    truth: dict[tuple[Any, ...], int] = {}
    for row in ledger.sandbox.transfers():
        if row["rule"] is not None:
            moved = row["amount_cents"] if row["status"] == "COMPLETE" else 0
            rule = row["rule"]
            ends = row["source"]["id"], row["destination"]["id"]
            key = rule["trigger_type"], rule["trigger_cron"], *ends
            truth[key] = truth.get(key, 0) + moved
    found = rules(ledger.transfers, ledger.details)
    keys = ["trigger_type", "trigger_cron", "source_id", "destination_id"]
    named = found[keys].astype("object").where(found[keys].notna(), None)
    told = zip(named.itertuples(index=False, name=None), found["moved_cents"], strict=True)
    assert dict(told) == truth
