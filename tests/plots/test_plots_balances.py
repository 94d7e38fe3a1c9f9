"""Balances over time, and the balances that are expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from charted import draw, history, line, overlaps, projected, texts, title, told, words
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from seqdata import plots
from seqdata.exceptions import InvalidFilter, UnknownAccount


def known(drawn: Any) -> list[float]:
    """Return the y values of a line, without its gaps."""
    values = np.asarray(drawn.get_ydata(), float)
    return [float(one) for one in values[~np.isnan(values)]]


def test_a_line_is_the_balance() -> None:
    """A derived line goes through each balance of the table, on its day."""
    ax = plots.balances(history({"Bills": [100, 250, -75, 9_900]}, "dddd"))
    drawn = line(ax, "derived:id-Bills")
    assert known(drawn) == [1.0, 2.5, -0.75, 99.0]
    days = pd.to_datetime(np.asarray(drawn.get_xdata()))
    assert [f"{day:%m-%d}" for day in days] == ["10-01", "10-02", "10-03", "10-04"]


def test_observed_points_are_marked_and_carried_ones_dashed() -> None:
    """There are as many dots as observed balances; what leads to a carried one is dashed."""
    ax = plots.balances(history({"Bills": [100, 200, 300, 400, 500, 600]}, "oodcod"))
    points = line(ax, "points:id-Bills")
    assert (points.get_marker(), known(points)) == ("o", [1.0, 2.0, 5.0])
    assert known(line(ax, "observed:id-Bills")) == [1.0, 2.0]
    carried = line(ax, "carried:id-Bills")
    assert (carried.get_linestyle(), known(carried)) == ("--", [3.0, 4.0])
    derived = line(ax, "derived:id-Bills")
    assert known(derived) == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert np.isnan(derived.get_ydata()[2])
    assert derived.get_linewidth() < line(ax, "observed:id-Bills").get_linewidth()
    assert {one.get_text() for one in ax.get_legend().get_texts()} == {
        "observed", "derived", "carried",
    }  # fmt: skip


def test_goals_are_lines_at_their_dollars() -> None:
    """A goal is a line at its dollars, from an accounts table or from cents, if drawn."""
    table = history({"Bills": [100, 200], "Kids": [500, 600]})
    accounts = pd.DataFrame({"id": ["id-Bills", "id-Kids", "x"], "goal_cents": [1_500, None, 9]})
    for goals in (accounts.astype({"goal_cents": "Int64"}), {"id-Bills": 1_500, "x": 9}):
        ax = plots.balances(table, goals)
        found = [one for one in ax.lines if str(one.get_gid()).startswith("goal:")]
        assert [list(one.get_ydata()) for one in found] == [[15.0, 15.0]]
        assert "goal Bills $15" in words(ax)


def test_the_words_of_a_goal_stand_beside_the_lines() -> None:
    """A goal is named at the right of the chart, where no line is, as each series is."""
    ax = plots.balances(history({"Bills": [100, 200], "Kids": [500, 600]}), {"id-Bills": 550})
    ax.get_figure().canvas.draw()
    (goal,) = [one for one in texts(ax) if one.get_text() == "goal Bills $5.50"]
    assert goal.get_window_extent().x0 > ax.get_window_extent().x1


def test_each_series_is_named_at_its_end_and_small_ones_are_left_out() -> None:
    """Of ten series the eight largest are drawn, and the note names the other two."""
    names = [f"Pod {number}" for number in range(10)]
    table = history({name: [1_000 * (i + 1)] * 3 for i, name in enumerate(names)}, "odo")
    ax = plots.balances(table)
    assert set(names[2:]) <= words(ax)
    assert not {*names[:2], "others"} & words(ax)
    assert ax.get_xlabel().startswith("Not drawn: Pod 1, Pod 0.")
    assert set(plots.table_of(ax)["name"]) == set(names[2:])
    assert set(plots.table_of(plots.balances(table, most=6))["name"]) == set(names[4:])
    assert set(plots.table_of(plots.balances(table, most=10))["name"]) == set(names)


def test_a_stack_sums_small_ones() -> None:
    """The smallest series of a stack are one area, and no cent is lost."""
    table = history({f"Pod {i}": [1_000 * (i + 1)] * 3 for i in range(9)}, "odo")
    ax = plots.balances(table, kind="stacked")
    assert ax.get_xlabel().startswith("Others: Pod 1, Pod 0.")
    assert plots.table_of(ax)["balance_cents"].sum() == table["balance_cents"].sum()


@pytest.mark.parametrize("how", ["o", "d", "c"])
def test_one_point_can_be_seen(how: str) -> None:
    """A balance known of one day alone is a marker, however it is known."""
    ax = plots.balances(history({"Bills": [5_000]}, how))
    marked = [one for one in ax.lines if one.get_marker() == "o" and len(one.get_ydata())]
    assert [list(one.get_ydata()) for one in marked] == [[50.0]]
    total = line(plots.balances(history({"Bills": [5_000]}, how), kind="stacked"), "total")
    assert (total.get_marker(), list(total.get_ydata())) == ("o", [50.0])


def test_what_is_not_known_is_not_stacked_as_nothing() -> None:
    """Where one account's balance is not known there is no sum, and it is named with its day."""
    table = history({"A": [100, 200, 300], "B": [500, 600, 700]}, "ddd")
    table = told(table[(table["name"] != "B") | (table["date"] > "2026-10-01")])
    ax = plots.balances(table, kind="stacked")
    assert np.isnan(line(ax, "total").get_ydata()[0])
    assert known(line(ax, "total")) == [8.0, 10.0]
    assert "Not known on each day: B (from Oct 2, 2026)." in ax.get_xlabel().replace("\n", " ")


def test_no_slope_is_drawn_between_two_days() -> None:
    """Lines are steps: what was held between two known days is not made up."""
    ax = plots.balances(history({"Bills": [100, 200, 300, 400]}, "oodc"))
    drawn = [
        one for one in ax.lines if str(one.get_label())[1:] in ("observed", "derived", "carried")
    ]
    assert {one.get_drawstyle() for one in drawn} == {"steps-post"}
    ahead = plots.upcoming(projected({"Bills": [300, 100]}))
    assert line(ahead, "line:id-Bills").get_drawstyle() == "steps-post"


@pytest.mark.parametrize("kind", ["lines", "stacked"])
@pytest.mark.parametrize("width", [6, 10, None])
@pytest.mark.parametrize("count", [14, 30])
def test_many_long_names_stay_on_the_figure(kind: str, width: int | None, count: int) -> None:
    """Labels of many pods with goals and long names lie on the figure, none on another one."""
    names = [f"A rather long name of pod {i}" for i in range(count)]
    table = history({name: [1_000 + 50 * i] * 3 for i, name in enumerate(names)})
    goals = {f"id-{name}": 1_500 + i for i, name in enumerate(names[:8])} if count == 14 else None
    ax = Figure((width, 4), layout="constrained").subplots() if width else None
    ax = plots.balances(table, goals, kind=kind, most=30, ax=ax)
    shown = texts(ax)
    box = ax.get_figure().bbox
    assert overlaps(shown) == []
    # No label stands over a line: those of goals are beside the chart, too.
    inside = ax.get_window_extent()
    named = [one for one in shown if "pod" in one.get_text()]
    if kind == "lines":
        assert all(one.get_window_extent().x0 > inside.x1 for one in named if one.axes)
    assert len({one.get_text() for one in shown if "pod" in one.get_text()}) >= count
    for one in shown:
        extent = one.get_window_extent()
        assert extent.x0 > -2
        assert extent.y0 > -2
        assert extent.x1 < box.x1 + 2
        assert extent.y1 < box.y1 + 2


def test_an_account_is_chosen_by_name_or_id() -> None:
    """One or several accounts are drawn alone; an unknown one lists the choices."""
    table = history({"Bills": [100, 200], "Kids": [500, 600], "Taxes": [1, 2]})
    assert set(plots.table_of(plots.balances(table, account="kid"))["name"]) == {"Kids"}
    some = plots.balances(table, account=["id-Bills", "Taxes"])
    assert set(plots.table_of(some)["name"]) == {"Bills", "Taxes"}
    with pytest.raises(UnknownAccount, match="Bills, Kids, Taxes"):
        plots.balances(table, account="Rent")
    with pytest.raises(InvalidFilter, match="lines, stacked"):
        plots.balances(table, kind="pie")


def test_what_never_held_anything_is_left_out() -> None:
    """A port that is empty every day is drawn only when it is asked for."""
    table = history({"Bills": [100, 200], "Port": [0, 0]})
    assert set(plots.table_of(plots.balances(table))["name"]) == {"Bills"}
    assert set(plots.table_of(plots.balances(table, account="Port"))["name"]) == {"Port"}


def test_the_title_says_the_span() -> None:
    """The title names the first and the last day that is drawn."""
    assert title(plots.balances(history({"A": [1, 2, 3]}))) == "Balances, Oct 1 \N{EN DASH} 3, 2026"


def test_an_account_has_one_colour_on_all_charts() -> None:
    """Histories and expected balances paint an account alike, whatever else they show."""
    names = [f"Pod {number}" for number in range(12)]
    accounts = pd.DataFrame({"id": [f"id-{name}" for name in names], "kind": "pod", "name": names})
    colors = plots.account_colors(accounts)
    past = plots.balances(history({name: [100, 200] for name in names[:6]}, "dd"), colors=colors)
    future = plots.upcoming(projected({name: [300] for name in names[4:8]}), colors=colors)
    for name in names[4:6]:
        one = line(past, f"derived:id-{name}").get_color()
        assert to_hex(one) == to_hex(line(future, f"line:id-{name}").get_color())
    assert colors["Pod 3"] == colors["id-Pod 3"]


def test_expected_balances_have_a_band_and_a_zero_line() -> None:
    """The line is the expected balance, the band is from low to high, and zero is drawn."""
    ax = plots.upcoming(projected({"Bills": [30_000, 10_000]}, band=2_500))
    assert known(line(ax, "line:id-Bills")) == [300.0, 100.0]
    (band,) = [one for one in ax.collections if one.get_gid() == "band:id-Bills"]
    edges = {round(float(point[1]), 2) for point in band.get_paths()[0].vertices}
    assert edges == {275.0, 325.0, 75.0, 125.0}
    assert set(line(ax, "zero").get_ydata()) == {0}
    assert ax.get_ylim()[0] <= 0


def test_pods_that_run_short_are_named_with_their_day() -> None:
    """What runs short is drawn before fuller pods, named with its first day, and marked."""
    full = {f"Pod {number}": [900_000 + number] * 3 for number in range(8)}
    series = {**full, "Bills": [10_000, 5_500, -1], "Kids": [9_000, 4_000, 4_000]}
    ax = plots.upcoming(projected(series))
    below = ax.get_xlabel().replace("\n", " ")
    assert below.startswith("Runs short: Bills (Nov 3). May run short: Kids (Nov 2). Not drawn: ")
    assert {"Bills", "Kids"} <= words(ax)
    assert known(line(ax, "short:id-Bills")) == [-0.01]
    assert len({one.get_gid() for one in ax.collections}) == 6


def test_what_is_not_forecast_is_named() -> None:
    """Accounts of which no forecast is drawn are named below, and why."""
    table = projected({"Bills": [30_000, 10_000], "Kids": [500, 500], "Car": [700, 700]})
    table["method"] = ["expected"] * 2 + ["nothing changes"] * 2 + ["not enough history"] * 2
    new = table["method"] == "not enough history"
    columns = ["balance_cents", "low_cents", "high_cents"]
    table[columns] = table[columns].astype("Int64")
    table.loc[new & (table["date"] > table["date"].min()), columns] = pd.NA
    below = plots.upcoming(table).get_xlabel().replace("\n", " ")
    assert "unchanged: Kids." in below
    assert "Not enough history: Car." in below


def test_dollars_stand_on_the_axis() -> None:
    """Ticks of an axis are dollars, each one different."""
    ax = draw("upcoming")
    ticks = [one.get_text() for one in texts(ax) if one in ax.get_yticklabels()]
    assert len(ticks) == len(set(ticks)) > 2
    assert all(one.startswith(("$", "-$")) for one in ticks)


def test_two_accounts_of_one_name_are_told_apart() -> None:
    """Accounts whose names look alike when drawn show a part of their ids."""
    table = history({"Kids 🎈": [100, 200], "Kids": [300, 400]})
    table["account_id"] = table["account_id"].map({"id-Kids": "1aaaa", "id-Kids 🎈": "2bbbb"})
    assert {"Kids (…aaaa)", "Kids (…bbbb)"} <= words(plots.balances(table))


@pytest.mark.parametrize("most", [8, 2])
def test_what_is_owed_is_taken_off_a_stack(most: int) -> None:
    """A debt stands below zero, alone or among others, and the sum is what there is less it."""
    table = history({"Savings": [500_00, 600_00], "Card": [40_00, 30_00], "Food": [20_00, 20_00]})
    table["is_owed"] = table["name"] == "Card"
    ax = plots.balances(table, kind="stacked", most=most)
    assert list(line(ax, "total").get_ydata()) == [480.0, 590.0]
    assert known(line(plots.balances(table, account="Card"), "derived:id-Card")) == [-40.0, -30.0]


def test_each_pod_has_a_small_chart_with_its_goal_and_band() -> None:
    """A small chart holds the history, the goal and the expected band of its pod alone."""
    past = history({"Bills": [30_000, 20_000], "Kids": [500, 600]}, "dd")
    ax = plots.pods(past, projected({"Bills": [10_000, 5_000]}, 2_500), {"id-Bills": 40_000})
    bills, kids = ax.child_axes
    assert known(line(bills, "line:id-Bills")) == [300.0, 200.0]
    assert known(line(bills, "expected:id-Bills")) == [100.0, 50.0]
    assert set(line(bills, "goal:id-Bills").get_ydata()) == {400.0}
    (band,) = bills.collections
    edges = {round(float(point[1]), 2) for point in band.get_paths()[0].vertices}
    assert edges == {75.0, 125.0, 25.0}
    assert [one.get_text() for one in bills.texts] == ["Bills", "$200 of $400"]
    assert not [one for one in kids.lines if "goal" in str(one.get_gid())]
    assert not kids.collections
