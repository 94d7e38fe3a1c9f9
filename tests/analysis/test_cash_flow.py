"""Money in, money out, and what is under way."""

from __future__ import annotations

import pandas as pd
import pytest
from purchases import Paid, categorized
from tables import accounts, legs, moments, transfers
from worlds import household

from seqdata.analysis import balance_history, cash_flow, spending
from seqdata.exceptions import InvalidFilter, UnknownAccount

FREQUENCIES = ["day", "week", "month", "quarter", "year"]


def flow(world, **options) -> pd.DataFrame:
    return cash_flow(world.transfers, world.legs, world.accounts, **options)


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_in_less_out_is_the_change_of_the_balances(world, freq: str) -> None:
    """Each period, net and internal less what is under way is what each balance changed by."""
    rows = flow(world, freq=freq, by="account")
    moved = rows["net_cents"] + rows["internal_cents"] - rows["in_transit_cents"]
    ours = moved.groupby([rows["account_id"], rows["period"]]).sum()
    days = balance_history(world.transfers, world.legs, world.accounts, world.balances)
    days = days[days["kind"] != "account"]
    first = days.drop_duplicates("account_id").set_index("account_id")
    begun = pd.Series(first["balance_cents"] - _moved_on(world, first["date"]))
    ends = begun.reindex(ours.index, level="account_id") + ours.groupby(level="account_id").cumsum()
    last = balance_history(world.transfers, world.legs, world.accounts, world.balances, freq=freq)
    last["period"] = _starts(last["date"], freq)
    last = last[last["kind"] != "account"].set_index(["account_id", "period"])["balance_cents"]
    shared = ends.index.intersection(last.index)
    assert len(shared) >= 0.9 * len(last)
    assert ends[shared].tolist() == last[shared].tolist()


def _moved_on(world, dates: pd.Series) -> pd.Series:
    """What each account's first day of history moved, so that the opening balance is known."""
    rows = flow(world, freq="day", by="account")
    rows = rows[rows["period"] == rows["account_id"].map(dates)].set_index("account_id")
    return rows["net_cents"] + rows["internal_cents"] - rows["in_transit_cents"]


def _starts(dates: pd.Series, freq: str) -> pd.Series:
    names = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
    return dates.dt.to_period(names[freq]).dt.start_time.astype("datetime64[us]")


def test_accounts_sum_to_the_whole(world) -> None:
    """The accounts' money in and out sum to the whole's, and their internal moves to zero."""
    whole, parts = flow(world), flow(world, by="account")
    for column in ("money_in_cents", "money_out_cents", "net_cents", "pending_out_cents"):
        assert parts.groupby("period")[column].sum().tolist() == whole[column].tolist()
    assert parts["internal_cents"].sum() == 0


def test_a_narrower_span_shows_the_same_periods(world) -> None:
    """Bounds choose periods without changing their figures."""
    whole = flow(world)
    part = flow(world, since="2026-09", until="2026-11")
    expected = whole[whole["period"].isin(pd.to_datetime(["2026-09-01", "2026-10-01"]))]
    pd.testing.assert_frame_equal(part, expected.reset_index(drop=True))


def test_a_dollar_counts_once_when_it_settles() -> None:
    """A move out counts in the month it settles, and is in transit until then."""
    rows = cash_flow(
        transfers("2026-03-30T12:00Z 2026-04-02T12:00Z 1000 pod1 firm1"),
        legs("t0 payment 2026-04-02T12:00Z"),
        accounts("pod1"),
    )
    assert rows["money_out_cents"].tolist() == [0, 1000]
    assert rows["in_transit_cents"].tolist() == [1000, -1000]


def test_a_pod_without_an_id_is_inside() -> None:
    """A pod that the service names without an id is a pod: what goes there did not go out."""
    rows = transfers(
        "2026-03-01T12:00Z 2026-03-01T12:00Z 300 pod1 pod2",
        "2026-03-02T12:00Z 2026-03-02T12:00Z 40 pod2 shop1",
        "2026-03-03T12:00Z 2026-03-03T12:00Z 2 firm1 pod1",
    )
    for end in ("source", "destination"):
        is_lost = rows[f"{end}_id"] == "pod2"
        rows[f"{end}_id"] = rows[f"{end}_id"].mask(is_lost)
    flow = cash_flow(rows, legs(), accounts("pod1"))
    assert flow[["money_in_cents", "money_out_cents", "in_transit_cents"]].values.tolist() == [
        [2, 40, 0]
    ]
    by_account = cash_flow(rows, legs(), accounts("pod1"), by="account").set_index("name")
    assert by_account["internal_cents"].to_dict() == {"Pod1": -300, "Pod2": 300}
    assert by_account["money_out_cents"].to_dict() == {"Pod1": 0, "Pod2": 40}
    assert by_account["account_id"].isna().to_dict() == {"Pod1": False, "Pod2": True}
    wide = cash_flow(rows, legs(), accounts("pod1"), account="Pod2")
    assert wide["net_cents"].tolist() == [-40]


def test_refunds_reduce_what_went_out() -> None:
    """Money back from a merchant is less spending, not income."""
    rows = cash_flow(
        transfers(
            "2026-03-02T12:00Z 2026-03-02T12:00Z 1000 pod1 shop1",
            "2026-03-03T12:00Z 2026-03-03T12:00Z 400 shop1 pod1",
        ),
        legs(),
        accounts("pod1"),
    )
    assert rows[["money_in_cents", "money_out_cents"]].to_numpy().tolist() == [[0, 600]]


def test_failed_transfers_count_nowhere_and_pending_ones_apart() -> None:
    """What failed never counts; what is open is shown beside the money that settled."""
    rows = cash_flow(
        transfers(
            "2026-03-02T12:00Z 2026-03-04T12:00Z 1000 pod1 firm1 failed",
            "2026-03-02T12:00Z 2026-03-02T12:00Z 70 pod1 firm1 open",
            "2026-03-02T12:00Z 2026-03-02T12:00Z 5 firm1 pod1 UNDER_REVIEW",
        ),
        legs(),
        accounts("pod1"),
    )
    row = rows.iloc[0]
    assert (row["money_in_cents"], row["money_out_cents"]) == (0, 0)
    assert (row["pending_in_cents"], row["pending_out_cents"]) == (5, 70)


def test_a_reversal_undoes_a_compound_transfer() -> None:
    """Two legs are one movement, and a completed reversal takes it back."""
    pair = transfers("2026-03-02T12:00Z 2026-03-05T12:00Z 1000 out1 out2")
    known = legs(
        "t0 pull 2026-03-03T12:00Z", "t0 push 2026-03-05T12:00Z", "t0 reversal 2026-03-20T12:00Z"
    )
    both = accounts("out1", "out2", "pod1")
    rows = cash_flow(pair, known, both, boundary="own", by="account", freq="week")
    moves = rows[rows["internal_cents"] != 0][["name", "internal_cents"]].to_numpy().tolist()
    assert moves == [["Out1", -1000], ["Out2", 1000], ["Out1", 1000], ["Out2", -1000]]
    assert len(cash_flow(pair, known, both)) == 0


def test_own_accounts_can_be_inside() -> None:
    """With boundary="own" a sweep to the user's own bank is neither in nor out."""
    rows = transfers(
        "2026-03-02T12:00Z 2026-03-05T12:00Z 1000 pod1 out1",
        "2026-03-02T12:00Z 2026-03-05T12:00Z 300 pod1 firm1",
    )
    both = accounts("pod1", "out1")
    assert cash_flow(rows, legs(), both)["money_out_cents"].sum() == 1300
    assert cash_flow(rows, legs(), both, boundary="own")["money_out_cents"].sum() == 300


def test_empty_months_are_there() -> None:
    """A month in which nothing moved stands between its neighbours with zeros."""
    rows = cash_flow(
        transfers(
            "2026-01-02T12:00Z 2026-01-02T12:00Z 1 pod1 shop1",
            "2026-03-02T12:00Z 2026-03-02T12:00Z 2 pod1 shop1",
        ),
        legs(),
        accounts("pod1"),
    )
    assert rows["money_out_cents"].tolist() == [1, 0, 2]


def test_a_span_without_transfers_is_an_empty_table(world) -> None:
    """A span before everything gives no rows, and the columns and dtypes of any other."""
    empty = flow(world, until="2020")
    assert len(empty) == 0
    assert empty.dtypes.astype(str).to_dict() == flow(world).dtypes.astype(str).to_dict()


@pytest.mark.parametrize(
    ("asked", "choices"),
    [
        ({"freq": "fortnight"}, "day, week, month, quarter, year"),
        ({"by": "payee"}, "account, category"),
        ({"boundary": "bank"}, "sequence, own"),
        ({"boundary": ["own"]}, "sequence, own"),
        ({"by": ["account"]}, "account, category"),
        ({"freq": ["day"]}, "day, week, month"),
        ({"account": 7}, "a text, or a list of texts"),
        ({"since": "2026-10", "until": "2026-09"}, "which is since"),
    ],
)
def test_a_wrong_word_is_answered_with_the_choices(world, asked, choices) -> None:
    """A word that does not exist is refused in a sentence with those that do."""
    with pytest.raises(InvalidFilter, match=choices):
        flow(world, **asked)


def test_an_unknown_account_is_answered_with_the_names(world) -> None:
    """An account that does not exist is refused with the names that do."""
    with pytest.raises(UnknownAccount, match="Groceries"):
        flow(world, account="Yacht")


# -- from one total to the other ------------------------------------------------------------------


def test_what_spending_counts_and_cash_flow_does_not_is_a_row() -> None:
    """By category, what was spent stands beside what crossed the boundary; debts are the row."""
    rows = categorized(
        Paid("Pod: Food", "Merchant: Aldi", 30_00),
        Paid("Pod: Bills", "Account: Card", 70_00),
        Paid("Pod: Bills", "Account: Savings", 500_00),
        Paid("Account: Checking", "Account: Loan", 40_00),
    ).assign(updated_at=moments(["2026-10-05"] * 4), source_party="pod")
    ours = pd.DataFrame(
        {
            "id": ["Pod/Food", "Pod/Bills", "Account/Card", "Account/Savings", "Account/Checking"],
            "name": ["Food", "Bills", "Card", "Savings", "Checking"],
            "kind": ["pod", "pod", "account", "account", "account"],
        }
    )
    shown = {}
    for boundary in ("own", "sequence"):
        table = cash_flow(rows, legs(), ours, by="category", boundary=boundary)
        named = table.set_index("category")[["money_out_cents", "spent_cents"]]
        shown[boundary] = {name: tuple(row) for name, row in named.iterrows()}
    assert shown["sequence"] == {
        "Groceries": (30_00, 30_00),
        "Debt payments": (70_00, 110_00),
        "Moved to own accounts": (500_00, 0),
    }
    assert shown["own"]["Debt payments"][1] == 110_00


@pytest.mark.parametrize("seed", [1, 2, 3, 7, 11])
@pytest.mark.parametrize("boundary", ["own", "sequence"])
def test_one_gets_from_one_total_to_the_other(seed: int, boundary: str) -> None:
    """The rows by category lead from the cash flow's money out to the spending, to the cent."""
    home = household(seed)
    table = cash_flow(home.rows, legs(), home.accounts, by="category", boundary=boundary)
    whole = cash_flow(home.rows, legs(), home.accounts, boundary=boundary)
    spent = spending(home.rows, None, freq="month", by_day="settled")
    assert table["money_out_cents"].sum() == whole["money_out_cents"].sum()
    monthly = table.groupby("period")["spent_cents"].sum()
    assert monthly[monthly != 0].tolist() == spent["spent_cents"].tolist()
    differs = table[table["money_out_cents"] != table["spent_cents"]]
    assert {*differs["category"]} == {
        "own": {"Debt payments"}, "sequence": {"Moved to own accounts"}
    }[boundary]  # fmt: skip
    difference = (differs["spent_cents"] - differs["money_out_cents"]).sum()
    assert whole["money_out_cents"].sum() + difference == spent["spent_cents"].sum() != 0


def test_two_pods_of_one_name_are_two_rows() -> None:
    """Pods of one name are told apart by their goals, and money of each is its own."""
    rows = transfers(
        "2026-03-02T12:00Z 2026-03-02T12:00Z 1000 pod1 shop1",
        "2026-03-03T12:00Z 2026-03-03T12:00Z 400 pod2 shop1",
    )
    both = accounts("pod1", "pod2").assign(name="Kids", goal_cents=[500_00, 90_000])
    table = cash_flow(rows, legs(), both, by="account", wide=True)
    assert table.to_dict("list") == {"Kids (goal $500.00)": [-10.0], "Kids (goal $900.00)": [-4.0]}
