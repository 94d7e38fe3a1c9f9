"""Cash flow, spending and money flow: the numbers of the charts are those of the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from charted import (
    bars,
    cash_flow,
    compared,
    line,
    money_flow,
    recurring,
    spending,
    title,
    told,
    words,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.dates import num2date

from seqdata import plots
from seqdata.plots.alluvial import layout

DASH = "\N{EN DASH}"


def test_cash_flow_bars_are_the_money_in_and_out() -> None:
    """Bars up are the money in, bars down the money out, and the line is the net."""
    ax = plots.cash_flow(cash_flow(("2026-09-01", 120_000, 90_050), ("2026-10-01", 5_000, 7_000)))
    assert bars(ax, "_in") == [1200.0, 50.0]
    assert bars(ax, "_out") == [-900.5, -70.0]
    assert list(line(ax, "net").get_ydata()) == [299.5, -20.0]
    assert title(ax) == f"Cash flow by month, Sep {DASH} Oct 2026".replace("Sep", "Sep 2026")
    assert {one.get_text() for one in ax.get_legend().get_texts()} == {
        "in", "out", "net", "not whole",  # four hours of October are to come
    }  # fmt: skip


def test_pending_money_stands_at_the_end_of_the_bars() -> None:
    """What is pending is stacked on what settled, is named, and is not in the net."""
    table = cash_flow(("2026-10-01", 5_000, 7_000), pending_out_cents=1_000, pending_in_cents=0)
    ax = plots.cash_flow(table)
    (pending,) = next(one for one in ax.containers if one.get_label() == "_pending out").patches
    assert (pending.get_y(), pending.get_height()) == (-70.0, -10.0)
    assert list(line(ax, "net").get_ydata()) == [-20.0]
    assert "pending" in {one.get_text() for one in ax.get_legend().get_texts()}


def test_cash_flow_by_account_is_summed() -> None:
    """A cash flow by account is drawn for the whole."""
    table = cash_flow(("2026-10-01", 100, 0), ("2026-10-01", 250, 90), ("2026-09-01", 1, 0))
    ax = plots.cash_flow(table.assign(account_id=["a", "b", "a"]))
    assert bars(ax, "_in") == [0.01, 3.5]
    assert plots.table_of(ax)["net_cents"].tolist() == [1, 260]


@pytest.mark.parametrize(
    ("days", "freq", "gap"),
    [
        (["2026-10-01", "2026-10-02", "2026-10-05"], "day", [1, 3]),
        (["2026-10-05", "2026-10-12", "2026-10-26"], "week", [1, 2]),
        (["2025-11-01", "2025-12-01", "2026-02-01"], "month", [1, 2]),
        (["2025-10-01", "2026-01-01", "2026-07-01"], "quarter", [1, 2]),
        (["2023-01-01", "2024-01-01", "2026-01-01"], "year", [1, 2]),
    ],
)
def test_a_period_without_rows_is_a_gap(days: list[str], freq: str, gap: list[int]) -> None:
    """Bars of neighbours stand side by side, and a missing period leaves its place free."""
    ax = plots.cash_flow(cash_flow(*((day, 100, 50) for day in days)))
    centres = [patch.get_x() + patch.get_width() / 2 for patch in ax.containers[0].patches]
    assert np.round(np.diff(centres), 6).tolist() == gap
    assert title(ax).startswith(f"Cash flow by {freq}, ")


def test_spending_is_ranked() -> None:
    """The largest sum stands at the top, with its dollars and its share of all."""
    table = spending({"category": ["Dining", "Rent", "Fun"]}, [25_000, 150_000, 25_000])
    ax = plots.spending(told(table, filters={"since": "2026-09-01", "until": "2026-10-01"}))
    drawn = plots.table_of(ax)
    assert drawn["label"].tolist() == ["Rent", "Dining", "Fun"]
    widths = [patch.get_width() for patch in ax.containers[0].patches]
    assert widths == [1500.0, 250.0, 250.0]
    assert ax.yaxis_inverted()
    assert {"Rent", "$1,500  75%", "$250  12%"} <= words(ax)
    assert title(ax) == f"Spending by category, Sep 1 {DASH} 30, 2026"


def test_small_spending_is_one_bar_and_no_cent_is_lost() -> None:
    """Of many payees the smallest ones become one bar; the bars sum to the table."""
    table = spending({"payee": [f"Shop {i}" for i in range(30)]}, [100 * i + 1 for i in range(30)])
    drawn = plots.table_of(plots.spending(table))
    assert len(drawn) == 12
    assert drawn["label"].iloc[-1] == "19 others"
    assert drawn["spent_cents"].sum() == table["spent_cents"].sum()


def test_spending_by_several_words_joins_them() -> None:
    """Two grouping columns are one label."""
    table = spending({"pod": ["Bills", "Kids"], "category": ["Rent", "Toys"]}, [2, 1])
    ax = plots.spending(table)
    assert {"Bills · Rent", "Kids · Toys"} <= words(ax)
    assert title(ax).startswith("Spending by pod and category, up to Oct 31, 2026")


def test_months_are_stacked_by_category() -> None:
    """Each month's bars sum to its spending, refunds stand below zero, and categories are named."""
    table = spending(
        {"period": ["2026-09-01", "2026-09-01", "2026-10-01", "2026-10-01"],
         "category": ["Rent", "Fun", "Rent", "Fun"]},
        [100_000, 20_000, 100_000, -5_000],
    )  # fmt: skip
    ax = plots.spending_by_month(table)
    assert bars(ax, "_Rent") == [1000.0, 1000.0]
    assert bars(ax, "_Fun") == [200.0, -50.0]
    fun = next(one for one in ax.containers if one.get_label() == "_Fun").patches
    assert [patch.get_y() for patch in fun] == [1000.0, 0.0]
    assert [one.get_text() for one in ax.get_legend().get_texts()][:2] == ["Fun", "Rent"]


def test_a_category_keeps_its_colour_in_another_span() -> None:
    """The same categories have the same colours, whatever they sum to."""
    first = spending({"period": ["2026-09-01"] * 2, "category": ["Rent", "Fun"]}, [900, 100])
    other = spending({"period": ["2026-10-01"] * 2, "category": ["Fun", "Rent"]}, [900, 100])
    colors = [
        {one.get_label(): one.patches[0].get_facecolor() for one in ax.containers}
        for ax in (plots.spending_by_month(first), plots.spending_by_month(other))
    ]
    assert colors[0] == colors[1]
    assert len(set(colors[0].values())) == 2


def test_the_calendar_holds_each_day_once() -> None:
    """A cell is its day's dollars: a column a week, a row a weekday, days outside are free."""
    days = ["2026-09-28", "2026-10-01", "2026-10-04"]
    ax = plots.calendar(told(spending({"period": days}, [100, 2_500, 700]), last_sync_at=None))
    (mesh,) = ax.collections
    grid: Any = mesh.get_array().reshape(7, 54)
    assert grid[:, 0].tolist() == [1.0, 0.0, 0.0, 25.0, 0.0, 0.0, 7.0]
    assert grid.mask[:, 1:].all()
    assert plots.table_of(ax)["spent_cents"].tolist() == [100, 0, 0, 2_500, 0, 0, 700]


def test_several_years_are_blocks() -> None:
    """More than a year is a block for each year, whose cells sum to the year's spending."""
    days = pd.date_range("2024-12-30", "2026-03-01")
    table = spending({"period": list(days)}, [100 + i for i in range(len(days))])
    ax = plots.calendar(told(table, last_sync_at=None))
    yearly = table["spent"].groupby(table["period"].dt.year).sum()
    sums = [float(mesh.get_array().sum()) for mesh in ax.collections]
    assert sums == pytest.approx(yearly.tolist())
    assert {"2024", "2025", "2026"} <= words(ax)


def test_streams_are_as_wide_as_their_money() -> None:
    """Two streams of one pod are as thick as their shares, and opposite moves are netted."""
    table = money_flow(
        ("Payroll", "income", "Pay", "port", 100_000),
        ("Pay", "port", "Bills", "pod", 100_000),
        ("Bills", "pod", "Rent", "category", 60_000),
        ("Bills", "pod", "Fun", "category", 20_000),
        ("Bills", "pod", "Kids", "pod", 15_000),
        ("Kids", "pod", "Bills", "pod", 5_000),
    )
    ax = plots.money_flow(table)
    drawn = plots.table_of(ax).set_index(["from_name", "to_name"])["moved_cents"]
    assert drawn.to_dict() == {
        ("Payroll", "Pay"): 100_000,
        ("Pay", "Bills"): 100_000,
        ("Bills", "Rent"): 60_000,
        ("Bills", "Fun"): 20_000,
        ("Bills", "Kids"): 10_000,
    }
    heights = {
        patch.get_gid(): patch.get_path().vertices[0][1] - patch.get_path().vertices[7][1]
        for patch in ax.patches
        if ">" in str(patch.get_gid())
    }
    thick = {gid: abs(height) for gid, height in heights.items()}
    rent, fun = thick["pod:Bills>category:Rent"], thick["pod:Bills>category:Fun"]
    assert rent / fun == pytest.approx(3)
    assert {"Rent  $600", "Fun  $200"} <= words(ax)


PODS = st.sampled_from([("A", "pod"), ("B", "pod"), ("C", "pod"), ("Out", "account")])
FROM = st.one_of(PODS, st.sampled_from([("Pay", "income"), ("Port", "port")]))
TO = st.one_of(PODS, st.sampled_from([("Rent", "category"), ("Fun", "category")]))
FLOWS = st.lists(st.tuples(FROM, TO, st.integers(1, 10**7)), min_size=1, max_size=25)


@given(FLOWS)
@settings(max_examples=settings().max_examples // 4)  # each is drawn
def test_a_layout_loses_no_money_and_nothing_overlaps(flows: list[Any]) -> None:
    """Nodes of a column lie apart within the chart, and streams within the ends of their nodes."""
    placed = layout(money_flow(*((*one, *other, cents) for one, other, cents in flows)))
    net: dict[frozenset[tuple[str, str]], int] = {}
    for one, other, cents in flows:
        ends = [("source" if k == "account" else k, n) for n, k in (one,)]
        ends += [(k, n) for n, k in (other,)]
        pair = frozenset(ends)
        sign = 1 if ends == sorted(ends) else -1
        net[pair] = net.get(pair, 0) + sign * cents * (len(pair) - 1)
    moved = placed.links["moved_cents"].sum() if len(placed.links) else 0
    assert moved + placed.left_out_cents == sum(map(abs, net.values()))
    for _, column in placed.nodes.sort_values("top").groupby("layer"):
        assert (column["top"].to_numpy()[1:] > column["bottom"].to_numpy()[:-1]).all()
        assert column["top"].min() > -1e-9
        assert column["bottom"].max() < 1 + 1e-9
    by_key = placed.nodes.set_index("key")
    for row in placed.links.itertuples():
        for key, top in ((row.from_key, row.from_top), (row.to_key, row.to_top)):
            assert top >= by_key.loc[key, "top"] - 1e-9
            assert top + row.thickness <= by_key.loc[key, "bottom"] + 1e-9


def test_what_goes_around_is_said() -> None:
    """Money that would flow backwards is not drawn, and the note says how much it is."""
    table = money_flow(
        ("A", "pod", "B", "pod", 50_000), ("B", "pod", "C", "pod", 40_000),
        ("C", "pod", "A", "pod", 30_000), ("A", "pod", "Rent", "category", 90_000),
    )  # fmt: skip
    ax = plots.money_flow(table)
    missing = 210_000 - int(plots.table_of(ax)["moved_cents"].sum())
    assert missing > 0
    assert f"Not drawn: ${missing // 100} that went back or around." in ax.get_xlabel()


def test_a_timeline_runs_from_first_to_last() -> None:
    """A bar runs from the first to the last time, dots are the last and the next one."""
    ax = plots.recurring(recurring({"payee": "Rent"}))
    ends = [f"{num2date(x):%Y-%m-%d}" for x in ax.convert_xunits(line(ax, "span:0").get_xdata())]
    assert ends == ["2025-01-01", "2026-10-01"]
    (upcoming,) = ax.convert_xunits(line(ax, "next:0").get_xdata())
    assert f"{num2date(upcoming):%Y-%m-%d}" == "2026-11-01"
    assert {"Rent", "$2,000 monthly"} <= words(ax)


def test_the_costliest_a_year_stands_first_and_what_stopped_last() -> None:
    """Rows are ranked by what they cost a year; stopped ones say so, and have no next time."""
    ax = plots.recurring(
        recurring(
            {"payee": "Old", "usual_cents": 999_900, "is_active": False, "next_date": None},
            {"payee": "Coffee", "usual_cents": 500, "cadence": "weekly"},
            {"payee": "Domain", "usual_cents": 2_000, "cadence": "yearly"},
            {"payee": "Film", "usual_cents": 1_799, "previous_cents": 1_549,
             "changed_on": "2026-02-01"},
        )
    )  # fmt: skip
    assert plots.table_of(ax)["payee"].tolist() == ["Coffee", "Film", "Domain", "Old"]
    assert {"$15.49 → $17.99 monthly", "$9,999 monthly, stopped"} <= words(ax)
    assert not [one for one in ax.lines if one.get_gid() == "next:3"]
    assert [one.get_gid() for one in ax.lines if "changed" in one.get_gid()] == ["changed:1"]


def test_moves_between_own_accounts_stand_below_what_is_paid() -> None:
    """However much is moved between own accounts, what is paid to others is drawn first."""
    ax = plots.recurring(
        recurring(
            {"payee": "Savings", "kind": "transfer", "usual_cents": 900_000},
            {"payee": "Film", "usual_cents": 1_799},
            {"payee": "Old", "usual_cents": 999_900, "is_active": False, "next_date": None},
        )
    )
    assert plots.table_of(ax)["payee"].tolist() == ["Film", "Savings", "Old"]


def test_rows_beyond_the_last_one_are_named() -> None:
    """Of many rows, those that are not drawn are named below."""
    rows = [{"payee": f"Shop {i:02}", "usual_cents": 1_000 - i} for i in range(16)]
    ax = plots.recurring(recurring(*rows))
    assert len(plots.table_of(ax)) == 14
    assert ax.get_xlabel().startswith("Not drawn: Shop 14, Shop 15.")


# -- what is open, what runs, what is owed --------------------------------------------------------


def test_open_money_stands_paler_at_the_end_of_its_bar() -> None:
    """What is open is drawn on top of what is spent, in a paler colour, and is named."""
    by = {"period": ["2026-10-01"] * 2, "category": ["Rent", "Fun"]}
    table = spending(by, [100_000, 20_000]).assign(open_cents=[0, 5_000], open=[0.0, 50.0])
    ax = plots.spending_by_month(told(table))
    (fun,) = next(one for one in ax.containers if one.get_label() == "_Fun").patches
    (waits,) = next(one for one in ax.containers if one.get_label() == "_open Fun").patches
    assert (waits.get_y(), waits.get_height()) == (1200.0, 50.0)
    assert sum(waits.get_facecolor()[:3]) > sum(fun.get_facecolor()[:3])
    assert "open is paler" in {one.get_text() for one in ax.get_legend().get_texts()}
    ranked = plots.spending(told(table.drop(columns="period")))
    (bars_,) = (one for one in ranked.containers if one.get_label() == "_open")
    assert [(bar.get_x(), bar.get_width()) for bar in bars_.patches] == [
        (1000.0, 0.0),
        (200.0, 50.0),
    ]
    assert plots.table_of(ranked)["open_cents"].tolist() == [0, 5_000]


def test_a_chart_says_by_which_day_it_counts_and_that_a_month_runs() -> None:
    """The words below a chart say which day counts, and up to when the last period goes."""
    table = spending({"period": ["2026-10-01", "2026-11-01"]}, [100, 200])
    ax = plots.spending_by_month(told(table, last_sync_at="2026-11-03T12:00:00Z", by_day="paid"))
    said = " ".join(" ".join(words(ax)).split())
    assert "The last month is not over: up to Nov 3, 2026." in said
    assert "Payments count on the day they were made." in said
    over = plots.spending_by_month(told(table, last_sync_at="2026-12-01T12:00:00Z"))
    assert "not over" not in " ".join(words(over))


@pytest.mark.parametrize(
    ("since", "last_sync_at", "hatched"),
    [
        ("2026-09-01", "2026-12-01T12:00:00Z", []),
        ("2026-09-10", "2026-12-01T12:00:00Z", [0]),
        ("2026-09-01", "2026-11-03T12:00:00Z", [2]),
        ("2026-09-10", "2026-11-03T12:00:00Z", [0, 2]),
    ],
)
def test_periods_that_are_not_whole_are_hatched(
    since: str, last_sync_at: str, hatched: list[int]
) -> None:
    """The first and the last period are hatched, named and explained where days are missing."""
    months = ["2026-09-01", "2026-10-01", "2026-11-01"]
    facts = {"filters": {"since": since}, "last_sync_at": last_sync_at}
    flow = plots.cash_flow(told(cash_flow(*((month, 100, 50) for month in months)), **facts))
    by = {"period": months, "category": ["Rent"] * 3}
    table = told(spending(by, [100, 200, 300]), **facts)
    ranked = plots.spending(told(table.drop(columns="category"), **facts))
    for ax in (flow, plots.spending_by_month(table), ranked):
        drawn = ax.containers[0].patches
        assert [place for place, bar in enumerate(drawn) if bar.get_hatch()] == hatched
        assert ("not whole" in " ".join(words(ax)).replace("is not whole", "")) == bool(hatched)
        below = ax.get_xlabel().replace("\n", " ")
        assert ("The first month is not whole: from Sep 10, 2026." in below) == (0 in hatched)
        assert ("The last month is not over: up to Nov 3, 2026." in below) == (2 in hatched)


def test_bars_of_months_stand_in_their_order() -> None:
    """Spending by month alone is drawn in time, the newest twelve, and none becomes others."""
    months = [f"{day:%Y-%m-%d}" for day in pd.date_range("2025-09-01", periods=14, freq="MS")]
    ax = plots.spending(spending({"period": months}, [900 - 10 * (i % 5) for i in range(14)]))
    drawn = plots.table_of(ax)["label"].tolist()
    assert (drawn[0], drawn[-1], len(drawn)) == ("Nov 2025", "Oct 2026", 12)
    assert "Not drawn: 2 before." in ax.get_xlabel()


def test_no_share_is_said_where_refunds_exceed_spending() -> None:
    """No bar has a share of a sum that refunds made smaller."""
    ax = plots.spending(spending({"category": ["Rent", "Fun", "Back"]}, [900, 100, -130]))
    assert not any("%" in one for one in words(ax))


def test_a_comparison_says_what_changed_and_of_which_days() -> None:
    """Bars are now and before, the largest change first, and words say the change and the days."""
    table = compared(
        {"category": ["Rent", "Fun", "Food"]}, [200_000, 5_000, 100], [200_000, 9_000, 0]
    )
    ax = plots.compare(table)
    assert plots.table_of(ax)["label"].tolist() == ["Fun", "Food", "Rent"]
    widths = [[bar.get_width() for bar in one.patches] for one in ax.containers]
    assert widths == [[50.0, 1.0, 2000.0], [90.0, 0.0, 2000.0]]
    assert {"-$40", "+$1", "as before"} <= words(ax)
    assert title(ax) == "Spent $2,051, $39 less than before"
    assert "2026-11-01 to 2026-11-14 against" in ax.get_xlabel().replace("\n", " ")


def test_small_changes_are_one_row_and_no_cent_is_lost() -> None:
    """Of many payees those that changed least become one row."""
    by = {"payee": [f"Shop {i:02}" for i in range(20)]}
    drawn = plots.table_of(plots.compare(compared(by, list(range(0, 2_000, 100)), [0] * 20)))
    assert (len(drawn), drawn["label"].iloc[-1]) == (12, "9 others")
    assert drawn["change_cents"].sum() == sum(range(0, 2_000, 100))


def test_the_sentence_says_sums_and_the_largest_part() -> None:
    """What a chart says in words is what its table sums to."""
    flow: Any = plots.cash_flow(cash_flow(("2026-09-01", 120_000, 90_000)))
    assert "$300 more came in than went out." in flow.sentence
    spent: Any = plots.spending(spending({"category": ["Rent", "Fun"]}, [215_000, 5_000]))
    assert "$2,200 in all, the largest part Rent: $2,150." in spent.sentence
