"""Purchases of several categories: taken apart to the cent, in every sum."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import Paid, settled
from tables import fewer

from seqdata import Ledger
from seqdata.analysis import categorize, read_rules, spending
from seqdata.exceptions import InvalidAmount, InvalidSplit, UnknownTransfer

SUMS: tuple[tuple[Any, str | None], ...] = (
    ("category", None), ("payee", None), ("pod", None), ("account", None), (None, "month"),
    ("category", "month"), (["payee", "category"], None),
)  # fmt: skip

NAMES = ["Groceries", "Home", "garden", "Épicerie 🐷"]

PURCHASES = st.lists(
    st.tuples(
        st.integers(2, 10**9),
        st.lists(st.integers(1, 10**9), max_size=3),
        st.booleans(),
        st.sampled_from(["2026-10-05", "2026-11-02"]),
    ),
    min_size=1,
    max_size=6,
)


def parts_of(cents: int, cuts: list[int]) -> dict[str, int]:
    """Cut an amount at some places into parts above zero; fewer than two are none."""
    places = sorted({0, cents, *(cut % cents for cut in cuts)})
    parts = [later - earlier for earlier, later in pairwise(places)]
    return dict(zip(NAMES, parts, strict=False)) if len(parts) > 1 else {}


@fewer
@given(purchases=PURCHASES)
def test_every_sum_takes_a_split_apart_to_the_cent(purchases: Any) -> None:
    """Splits change no total, each category gets its parts, and a purchase counts once a group."""
    rows = settled(
        *(
            Paid("Pod: Blue", f"Merchant: Xyzzy {number}", cents, on, on if is_reversed else None)
            for number, (cents, _, is_reversed, on) in enumerate(purchases)
        )
    )
    accounts = pd.DataFrame({"id": [], "type": []}, dtype="str")
    splits = {f"t{place}": parts_of(each[0], each[1]) for place, each in enumerate(purchases)}
    splits = {id_: parts for id_, parts in splits.items() if parts}
    annotations = pd.DataFrame(
        {
            "id": pd.Series(list(splits), dtype="str"),
            "category": pd.Series([None] * len(splits), dtype="str"),
            "split": pd.Series([json.dumps(parts) for parts in splits.values()], dtype="str"),
        }
    )
    plain = categorize(rows, accounts, annotations.iloc[:0], read_rules())
    apart = categorize(rows, accounts, annotations, read_rules())
    for by, freq in (("payee", None), ("pod", None), (None, "month"), ("payee", "month")):
        whole = spending(plain, by, freq=freq)
        pd.testing.assert_frame_equal(spending(apart, by, freq=freq), whole)
    expected = dict.fromkeys(NAMES, 0)
    for id_, parts in splits.items():
        _, _, is_reversed, _ = purchases[int(id_[1:])]
        for name, cents in parts.items():
            expected[name] += 0 if is_reversed else cents
    found = spending(apart, "category").set_index("category")["spent_cents"]
    for name, cents in expected.items():
        assert found.get(name, 0) == cents
    assert apart.groupby("id")["amount_cents"].sum().to_dict() == dict(
        zip(rows["id"], rows["amount_cents"], strict=True)
    )
    whole = categorize(rows, accounts, annotations, read_rules(), whole=True)
    assert whole["id"].tolist() == rows["id"].tolist()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("splits")
    with Ledger.demo(months=2, now="2026-11-01", folder=folder) as opened:
        opened.sync(progress=False)
        yield opened


def purchase(ledger: Ledger) -> pd.Series[Any]:
    rows = ledger.categorized(category="Groceries", state="settled")
    row = rows[(rows["amount_cents"] > 200) & rows["returned_at"].isna()].iloc[0].copy()
    row["amount_cents"] = int(row["amount_cents"])
    return row


def totals(ledger: Ledger) -> list[int]:
    return [ledger.spending(by, freq=freq)["spent_cents"].sum() for by, freq in SUMS]


def test_a_split_is_in_everything_that_sums(ledger: Ledger) -> None:
    """Spending, cash flow, money flow, comparison and export take it apart; what recurs does
    not."""
    row = purchase(ledger)
    before = totals(ledger)
    groceries = ledger.spending(category="Groceries")["spent_cents"].sum()
    flows = ledger.money_flow()["moved_cents"].sum()
    home = row["amount_cents"] - 101
    ledger.annotate(row["id"], split={"groceries": Decimal("1.01"), "Hearth": f"{home / 100:.2f}"})
    try:
        assert totals(ledger) == before
        assert ledger.spending(category="Hearth")["spent_cents"].tolist() == [home]
        assert ledger.spending(category="Groceries")["spent_cents"].sum() == groceries - home
        flow = ledger.money_flow()
        assert flow["moved_cents"].sum() == flows
        assert flow.set_index("to_name")["moved_cents"]["Hearth"] == home
        assert ledger.cash_flow(category="hearth")["money_out_cents"].sum() == home
        month = f"{row['created_at']:%Y-%m}"
        found = ledger.compare(month, month).set_index("category")
        assert found.loc["Hearth", "spent_cents"] == home
        parts = ledger.categorized()
        parts = parts[parts["id"] == row["id"]]
        assert parts["category"].tolist() == ["Hearth", "Groceries"]
        assert parts["amount_cents"].tolist() == [home, 101]
        assert parts["amount"].tolist() == [home / 100, 1.01]
        assert parts["whole_cents"].tolist() == [row["amount_cents"]] * 2
        assert len(ledger.recurring()) == len(ledger.recurring())
        shown = ledger.share_safe().categorized()
        assert (shown["whole_cents"].dropna() != row["amount_cents"]).all()
        assert str(home) not in ledger.share_safe().annotations.to_string()
    finally:
        ledger.annotate(row["id"], split={})
    assert ledger.spending(category="Groceries")["spent_cents"].sum() == groceries
    assert ledger.annotations.empty


def test_the_later_of_category_and_split_counts(ledger: Ledger) -> None:
    """A category takes the place of a split and the other way round; a note stays by both."""
    row = purchase(ledger)
    rest = f"{(row['amount_cents'] - 1) / 100:.2f}"
    ledger.annotate(row["id"], note="with Ana", split={"Fun": "0.01", "Food": rest})
    assert ledger.annotations["split"].tolist() == [
        json.dumps({"Food": row["amount_cents"] - 1, "Fun": 1}, separators=(",", ":"))
    ]
    ledger.annotate(row["id"], category="Fun")
    assert ledger.annotations[["category", "note"]].to_numpy().tolist() == [["Fun", "with Ana"]]
    assert ledger.annotations["split"].isna().all()
    ledger.annotate(row["id"], split={"Fun": "0.01", "Food": rest})
    assert ledger.annotations["category"].isna().all()
    ledger.annotate(row["id"], split={}, note="")
    assert ledger.annotations.empty


@pytest.mark.parametrize(
    ("split", "error", "why"),
    [
        ({"A": "1.00", "B": "1.00"}, InvalidSplit, r"its parts are \$2.00, and it is"),
        ({"A": "-1.00", "B": "1.00"}, InvalidSplit, "not above zero"),
        ({"A": "0", "B": "1.00"}, InvalidSplit, "not above zero"),
        ({"A": "1.00"}, InvalidSplit, "two or more"),
        ({"A": "1.00", " a ": "1.00"}, InvalidSplit, "two or more different"),
        ({"A": "1.00", " ": "1.00"}, InvalidSplit, "two or more"),
        ({"A": 1.0, "B": "1.00"}, InvalidAmount, "float"),
        ({"A": 100, "B": "1.00"}, InvalidAmount, "text"),
        ({"A": "1.005", "B": "1.00"}, InvalidAmount, "two decimals"),
    ],
)
def test_a_split_that_does_not_add_up_is_refused(
    ledger: Ledger, split: Any, error: type[Exception], why: str
) -> None:
    """Parts that are none, or not the transfer's, are refused by name, and nothing is noted."""
    id_ = ledger.transfers["id"].iloc[0]
    with pytest.raises(error, match=why):
        ledger.annotate(id_, split=split)
    with pytest.raises(InvalidSplit, match="a category is given too"):
        ledger.annotate(id_, category="C", split=split)
    with pytest.raises(UnknownTransfer):
        ledger.annotate("nothing", split=split)
    assert ledger.annotations.empty


def test_a_split_that_adds_up_no_more_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """Where the service has changed the amount since, the transfer counts whole, and a warning
    says how many do, and names none: who reads it may see the tables disguised."""
    rows = settled(Paid("Pod: Food", "Merchant: Shop", 1_005), Paid("Pod: Food", None, None))
    accounts = pd.DataFrame({"id": [], "type": []}, dtype="str")
    noted = json.dumps({"Fun": 1, "Food": 999})
    annotations = pd.DataFrame(
        {"id": ["t0", "t1"], "category": [None, None], "split": [noted, noted]}, dtype="str"
    )
    caplog.set_level(logging.WARNING)
    found = categorize(rows, accounts, annotations, read_rules())
    assert found["amount_cents"].tolist() == [1_005, pd.NA]
    assert found["category"].tolist() == ["Food", "Food"]
    assert found["whole_cents"].isna().all()
    assert "2 splits do not add up" in caplog.text
    assert "t0" not in caplog.text
