"""Cash flow: what came in, what went out, and the difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seqdata.analysis.periods import Period
from seqdata.core.usage import told
from seqdata.plots.canvas import Sheet, begin, draw_nothing, finish
from seqdata.plots.grouping import frequency_of, period_days, period_numbers
from seqdata.plots.notes import check_table, nothing, partial, told_frequency
from seqdata.plots.parts import dollar_axis, faded, hatch, key_row, partial_key, zero_line
from seqdata.plots.words import date_labels, span_words

_COLUMNS = ("period", "money_in_cents", "money_out_cents", "net_cents")
_PENDING = ("pending_in_cents", "pending_out_cents")


@told("plots")
def cash_flow(
    table: pd.DataFrame,
    *,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw money in as bars up, money out as bars down, and the net as a line.

    Money is in the period in which it settled. What is pending stands paler at the end of the
    bars; it is not in the net. The first and the last period are hatched where they are not
    whole.

    Parameters
    ----------
    table
        What ``cash_flow()`` makes; one by account is summed over the accounts.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: one row a period.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, _COLUMNS, "cash_flow", "cash_flow()")
    sheet = begin(ax, theme)
    drawn = _summed(table)
    cents = drawn.drop(columns="period")
    if drawn.empty or not cents.to_numpy().any():
        return draw_nothing(sheet, drawn, "Cash flow", nothing("cash flow", table), note)
    freq = frequency_of(drawn["period"], told_frequency(table))
    places = period_numbers(drawn["period"], freq)
    part = partial(table, drawn["period"], period_end(drawn["period"], freq), freq)
    _bars(sheet, drawn, places, part.among(drawn["period"]))
    sheet.ax.plot(
        places, drawn["net_cents"] / 100, color=sheet.look.ink, linewidth=1.4, marker="o",
        markersize=3.2 if len(drawn) <= 40 else 0, markeredgecolor=sheet.look.face,
        markeredgewidth=0.5, gid="net", zorder=4,
    )  # fmt: skip
    zero_line(sheet)
    dollar_axis(sheet)
    sheet.ax.use_sticky_edges = False
    sheet.ax.margins(y=0.06)
    period_axis(sheet, places, freq, drawn["period"].iloc[0])
    _legend(sheet, bool(cents[list(_PENDING)].to_numpy().any()), bool(part.periods))
    monthly = freq in ("month", "quarter", "year")
    span = span_words(*period_edges(drawn["period"], freq), monthly=monthly)
    return finish(sheet, drawn, f"Cash flow by {freq}, {span}", note, *part.said, source=table)


def _summed(table: pd.DataFrame) -> pd.DataFrame:
    given = table.assign(**{name: 0 for name in _PENDING if name not in table})
    wanted = [*_COLUMNS[1:], *_PENDING]
    sums = given.dropna(subset=["period"]).groupby("period")[wanted].sum()
    return sums.astype("int64").reset_index()


def period_edges(periods: pd.Series[Any], freq: str) -> tuple[Any, Any]:
    """Return the first and the last day (or month) that the periods cover."""
    return periods.min(), period_end(periods, freq) - pd.Timedelta(days=1)


def period_end(periods: pd.Series[Any], freq: str) -> pd.Timestamp:
    """Return the first day after the last of the periods."""
    return pd.Timestamp(Period(freq, periods.max().date()).end)


def _bars(sheet: Sheet, drawn: pd.DataFrame, places: Any, is_partial: list[bool]) -> None:
    for side, sign, color in (
        ("in", 1, sheet.look.money_in),
        ("out", -1, sheet.look.money_out),
    ):
        settled = sign * drawn[f"money_{side}_cents"].to_numpy() / 100
        pending = sign * drawn[f"pending_{side}_cents"].to_numpy() / 100
        bars = sheet.ax.bar(places, settled, width=0.72, color=color, label=f"_{side}")
        hatch(sheet, bars, is_partial)
        if pending.any():
            sheet.ax.bar(
                places, pending, bottom=settled, width=0.72, color=faded(sheet, color, 0.55),
                label=f"_pending {side}",
            )  # fmt: skip


def period_axis(sheet: Sheet, places: Any, freq: str, example: Any) -> None:
    """Label numbered periods at round ones, as many as there is room for."""
    ax = sheet.ax
    first, last = int(np.min(places)), int(np.max(places))
    figure: Any = ax.get_figure(root=True)
    inches = ax.get_position().width * figure.get_size_inches()[0]
    room = max(2, int(inches / 0.5))
    count = last - first + 1
    nice = {"month": (1, 2, 3, 6, 12, 24, 60), "quarter": (1, 2, 4, 8), "year": (1, 2, 5, 10)}
    steps = nice.get(freq, (1, 2, 4, 7, 14, 28, 56, 91, 182, 364))
    step = next((one for one in steps if count / one <= room), -(-count // room))
    aligned = freq in ("month", "quarter", "year")
    begin_ = -(-first // step) * step if aligned else first
    ticks = list(range(begin_, last + 1, step)) or [first]
    ax.set_xticks(ticks, _labels(ticks, freq, example))
    ax.set_xlim(first - 0.6, last + 0.6)


def _labels(ticks: list[int], freq: str, example: Any) -> list[str]:
    days = period_days(ticks, freq, example)
    if freq == "year":
        return [f"{day.year}" for day in days]
    if freq == "quarter":
        return [f"Q{day.quarter}\n{day.year}" for day in days]
    return date_labels(days)


def _legend(sheet: Sheet, has_pending: bool, has_partial: bool) -> None:
    look = sheet.look
    handles: list[Any] = [
        Patch(facecolor=look.money_in, label="in"),
        Patch(facecolor=look.money_out, label="out"),
        Line2D([], [], color=look.ink, linewidth=1.4, marker="o", markersize=3.2, label="net"),
    ]
    if has_pending:
        handles.append(Patch(facecolor=faded(sheet, look.muted, 0.55), label="pending"))
    if has_partial:
        handles.append(partial_key(sheet))
    key_row(sheet, handles)
