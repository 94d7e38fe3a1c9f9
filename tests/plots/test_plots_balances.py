"""Balances over time, and the balances that are expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from charted import draw, history, line, projected, texts, title, words
from matplotlib.colors import to_hex

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
        assert "goal $15" in words(ax)


def test_each_series_is_named_at_its_end_and_small_ones_are_summed() -> None:
    """Nine series are seven and the sum of the others, which the note names."""
    names = [f"Pod {number}" for number in range(9)]
    table = history({name: [1_000 * (i + 1)] * 3 for i, name in enumerate(names)}, "odo")
    ax = plots.balances(table)
    assert {*names[2:], "others"} <= words(ax)
    assert not {*names[:2]} & words(ax)
    assert known(line(ax, "derived:others")) == [30.0] * 3
    assert ax.get_xlabel().startswith("Others: Pod 1, Pod 0.")
    drawn = plots.table_of(ax)
    assert drawn["balance_cents"].sum() == table["balance_cents"].sum()
    assert set(plots.table_of(plots.balances(table, most=9))["name"]) == set(names)


def test_stacked_areas_sum_to_what_there_is() -> None:
    """The line above the areas is the sum, and areas have the height of their balances."""
    ax = plots.balances(history({"A": [100, 200], "B": [300, 50]}, "oo"), kind="stacked")
    assert known(line(ax, "total")) == [4.0, 2.5]
    assert known(line(ax, "points:total")) == [4.0, 2.5]
    tops = {
        area.get_gid(): max(point[1] for point in area.get_paths()[0].vertices)
        for area in ax.collections
    }
    assert max(tops.values()) == 4.0
    assert {one.get_text() for one in ax.get_legend().get_texts()} == {"A", "B"}


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
    table["account_id"] = table["account_id"].map({"id-Kids": "aaaa1", "id-Kids 🎈": "bbbb2"})
    assert {"Kids (aaaa)", "Kids (bbbb)"} <= words(plots.balances(table))


@pytest.mark.parametrize("most", [8, 2])
def test_what_is_owed_is_taken_off_a_stack(most: int) -> None:
    """A debt stands below zero, alone or among others, and the sum is what there is less it."""
    table = history({"Savings": [500_00, 600_00], "Card": [40_00, 30_00], "Food": [20_00, 20_00]})
    table["is_owed"] = table["name"] == "Card"
    ax = plots.balances(table, kind="stacked", most=most)
    assert list(line(ax, "total").get_ydata()) == [480.0, 590.0]
