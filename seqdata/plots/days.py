"""Spending day by day, as a calendar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from seqdata.core.usage import told
from seqdata.plots.canvas import SMALL, TEXT, Sheet, begin, draw_nothing, finish
from seqdata.plots.grouping import with_open
from seqdata.plots.notes import check_table, nothing, told_edges
from seqdata.plots.parts import key_row, write
from seqdata.plots.words import dollars_of, span_words

#: Years that fit on one chart.
_MOST_YEARS = 4

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: What the steps of the scale are rounded to.
_ROUND = (1, 2, 5, 10, 20, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750)


@told("plots")
def calendar(
    table: pd.DataFrame,
    *,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw days as a grid of weeks, stronger where more was spent.

    Up to a year is one block, more is a block for each calendar year.

    Parameters
    ----------
    table
        What ``spending(None, freq="day")`` makes; further columns are summed over. Days between
        its first and its last one that have no row had no spending. What is open is not in the
        colours; a sentence says how much it is.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: ``period``, ``spent_cents``, ``spent``, one row a
        day of the years that are drawn (the newest four).

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, ["period", "spent_cents"], "calendar", 'spending(None, freq="day")')
    daily = _daily(table)
    if daily.empty or not daily["spent_cents"].any():
        sheet = begin(ax, theme)
        return draw_nothing(sheet, daily, "Spending by day", nothing("spending", table), note)
    drawn, blocks = _blocks(daily)
    sheet = begin(ax, theme, height=1.25 + 1.1 * len(blocks))
    steps = _steps(drawn["spent"].to_numpy())
    for place, (label, own) in enumerate(blocks):
        _block(sheet, own, place, label, steps)
    sheet.ax.set_ylim(len(blocks) * 9 - 1.2, -1.4)
    sheet.ax.set_xlim(-0.2, 53.2)
    sheet.ax.set_xticks([])
    sheet.ax.set_yticks([])
    _legend(sheet, steps)
    title = f"Spending by day, {span_words(drawn['period'].min(), drawn['period'].max())}"
    waits = with_open(table)["open_cents"].sum() / 100
    more = [f"Not in the colours: {dollars_of(waits)} that is open."] if waits else []
    return finish(sheet, drawn, title, note, *more, source=table)


def _daily(table: pd.DataFrame) -> pd.DataFrame:
    known = table.dropna(subset=["period", "spent_cents"])
    sums = known.groupby("period")["spent_cents"].sum().astype("int64")
    if len(sums):
        known_days = pd.DatetimeIndex(sums.index)
        first, last = told_edges(table)
        edges = known_days.append(pd.DatetimeIndex([day for day in (first, last) if day]))
        days = pd.date_range(edges.min().normalize(), edges.max().normalize(), unit="us")
        sums = sums.reindex(days, fill_value=0)
    daily = sums.rename_axis("period").reset_index()
    return daily.assign(spent=daily["spent_cents"] / 100)


def _blocks(daily: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, pd.DataFrame]]]:
    """Return the days that are drawn, and in which blocks: one of a year, or calendar years."""
    first, last = daily["period"].min(), daily["period"].max()
    if (last - first).days + first.weekday() < 53 * 7:
        return daily, [("", daily)]
    years = daily["period"].dt.year
    drawn = daily[years > last.year - _MOST_YEARS].reset_index(drop=True)
    blocks = [(str(year), own) for year, own in drawn.groupby(drawn["period"].dt.year)]
    return drawn, blocks


def _steps(dollars: Any) -> list[float]:
    """Return where the colours change: round dollars near the quintiles of days with spending."""
    spent = dollars[dollars > 0]
    found: list[float] = []
    for wanted in np.quantile(spent, [0.2, 0.4, 0.6, 0.8]) if len(spent) else [1, 2, 5, 10]:
        scale = 10.0 ** max(0, int(np.floor(np.log10(max(wanted, 1)))) - 2)
        nice = min((one * scale for one in _ROUND), key=lambda one: abs(one - wanted))
        if found and nice <= found[-1]:
            nice = found[-1] * 2
        found.append(float(nice))
    return found


def _block(sheet: Sheet, days: pd.DataFrame, place: int, label: str, steps: list[float]) -> None:
    """Draw at most a year: a column a week, from Monday at the top."""
    grid: Any = np.ma.array(np.zeros((7, 54)), mask=True)
    first = pd.Timestamp(int(label), 1, 1) if label else days["period"].iloc[0]
    monday = first - pd.Timedelta(days=first.weekday())
    number = (days["period"] - monday).dt.days.to_numpy()
    grid[number % 7, number // 7] = days["spent"].to_numpy()
    top = place * 9.0
    bounds = [-np.inf, 0.005, *steps, np.inf]
    mesh = sheet.ax.pcolormesh(
        np.arange(55), top + np.arange(8), grid, cmap=ListedColormap(list(sheet.look.heat)),
        norm=BoundaryNorm(np.nan_to_num(bounds, posinf=1e15, neginf=-1e15), len(sheet.look.heat)),
        edgecolors=sheet.look.face, linewidth=1.2,
    )  # fmt: skip
    mesh.set_gid(f"block:{place}")
    last = pd.Timestamp(int(label), 12, 31) if label else days["period"].iloc[-1]
    for day in pd.date_range(first, last, freq="MS"):
        week = -(-(day - monday).days // 7)
        write(sheet, week, top - 0.65, f"{day:%b}", fontsize=SMALL, ha="left")
    for weekday in (0, 2, 4):
        write(
            sheet, 0, top + weekday + 0.5, _WEEKDAYS[weekday], fontsize=SMALL, ha="right",
            xytext=(-4, 0),
        )  # fmt: skip
    write(
        sheet, 0, top + 3.5, label, fontsize=TEXT, ha="right", xytext=(-28, 0),
        color=sheet.look.ink, fontweight="bold",
    )  # fmt: skip


def _legend(sheet: Sheet, steps: list[float]) -> None:
    words = ["$0", *(f"up to {dollars_of(step)}" for step in steps), "more"]
    handles = [
        Patch(facecolor=color, label=word)
        for color, word in zip(sheet.look.heat, words, strict=True)
    ]
    key_row(sheet, handles)
