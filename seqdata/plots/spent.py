"""Spending: ranked, and month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from seqdata.core.usage import told
from seqdata.plots.canvas import NAME, Sheet, begin, draw_nothing, finish
from seqdata.plots.flow import period_axis, period_edges, period_end
from seqdata.plots.grouping import (
    OTHERS,
    frequency_of,
    keys,
    largest,
    period_numbers,
    with_open,
)
from seqdata.plots.notes import Partial, check_table, nothing, partial, told_frequency, told_span
from seqdata.plots.parts import (
    dollar_axis,
    faded,
    hatch,
    key_row,
    partial_key,
    side_legend,
    write,
    zero_line,
)
from seqdata.plots.theme import chosen_colors
from seqdata.plots.words import day_words, dollars_of, literal, span_words

_SUMS = ("spent_cents", "spent")
_CENTS = ["spent_cents", "open_cents"]


@told("plots")
def spending(
    table: pd.DataFrame,
    *,
    most: int = 12,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw what was spent as ranked bars, the largest at the top; periods in their order.

    Where refunds exceed what one bar spent, no shares are written: they would not add up.

    Parameters
    ----------
    table
        What ``spending(by=...)`` makes: by category, payee, pod, account, or several of them;
        periods are summed over. What is open stands paler at the end of its bar.
    most
        Bars that are drawn at most; the smallest ones become one.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: ``label``, ``spent_cents``, ``spent``,
        ``open_cents``, ``open``.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, _SUMS, "spending", "spending()")
    by = keys(table)
    if not by:
        check_table(table, ["period"], "spending", 'spending(by="category")')
        return _by_period(table, most, ax, theme, note)
    title = f"Spending by {' and '.join(by)}"
    drawn, grouped = _ranked(table, by, most)
    sheet = begin(ax, theme, height=1.1 + 0.24 * min(max(len(drawn), 6), 16))
    if drawn.empty or not drawn[_CENTS].to_numpy().any():
        return draw_nothing(sheet, drawn, title, nothing("spending", table), note)
    _ranked_bars(sheet, drawn, grouped)
    span = told_span(table)
    return finish(sheet, drawn, f"{title}, {span}" if span else title, note, source=table)


def _by_period(
    table: pd.DataFrame, most: int, ax: Axes | None, theme: str | None, note: str | None
) -> Axes:
    """Draw the newest periods, the oldest of them at the top."""
    freq = frequency_of(table["period"], told_frequency(table))
    sums = with_open(table).dropna(subset=["period"]).groupby("period")[_CENTS].sum()
    kept, monthly = sums.tail(most).astype("int64"), freq in ("month", "quarter", "year")
    names = [
        span_words(*period_edges(pd.Series([one]), freq), monthly=monthly) for one in kept.index
    ]
    drawn = _in_dollars(kept.reset_index(drop=True).assign(label=names))
    title = f"Spending by {freq}"
    sheet = begin(ax, theme, height=1.1 + 0.24 * min(max(len(drawn), 6), 16))
    if drawn.empty or not drawn[_CENTS].to_numpy().any():
        return draw_nothing(sheet, drawn, title, nothing("spending", table), note)
    periods = pd.Series(kept.index)
    part = partial(table, periods, period_end(periods, freq), freq)
    _ranked_bars(sheet, drawn, 0, part.among(periods))
    more = [f"Not drawn: {len(sums) - len(kept)} before."] if len(sums) > len(kept) else []
    span = span_words(*period_edges(periods, freq), monthly=monthly)
    return finish(sheet, drawn, f"{title}, {span}", note, *more, *part.said, source=table)


def _ranked(table: pd.DataFrame, by: list[str], most: int) -> tuple[pd.DataFrame, int]:
    label = _joined(table, by)
    given = with_open(table)[_CENTS].assign(label=label).dropna()
    sums = given.groupby("label", sort=False)[_CENTS].sum().astype("int64")
    sums = sums.sort_values("spent_cents", ascending=False, kind="stable")
    kept = largest(sums["spent_cents"], most)
    drawn = sums.loc[kept].rename_axis("label").reset_index()
    rest = sums[~sums.index.isin(kept)]
    if len(rest):
        others = rest.sum().to_frame().T.assign(label=f"{len(rest)} others")
        drawn = pd.concat([drawn, others], ignore_index=True)
    return _in_dollars(drawn), len(rest)


def _in_dollars(drawn: pd.DataFrame) -> pd.DataFrame:
    return drawn.assign(spent=drawn["spent_cents"] / 100, open=drawn["open_cents"] / 100)


def _joined(table: pd.DataFrame, by: list[str]) -> pd.Series[Any]:
    """Return one label a row of the columns that the table is grouped by."""
    words = [table[name].map(_key_words).astype("str") for name in by]
    label = words[0]
    for more in words[1:]:
        label = label + " · " + more
    return label


def _key_words(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return day_words(value)
    return "no category" if pd.isna(value) else str(value)


def _ranked_bars(
    sheet: Sheet, drawn: pd.DataFrame, grouped: int, is_partial: Sequence[bool] = ()
) -> None:
    ax, look = sheet.ax, sheet.look
    places = np.arange(len(drawn))
    colors = [look.accent] * len(drawn)
    if grouped:
        colors[-1] = look.others
    bars = ax.barh(places, drawn["spent"], height=0.66, color=colors, label="_spent")
    hatch(sheet, bars, is_partial or [False] * len(drawn))
    named = []
    if drawn["open_cents"].any():
        pale = [faded(sheet, color, 0.55) for color in colors]
        base = drawn["spent"].clip(lower=0)
        ax.barh(places, drawn["open"], left=base, height=0.66, color=pale, label="_open")
        named = [
            Patch(facecolor=look.accent, label="spent"),
            Patch(facecolor=faded(sheet, look.accent, 0.55), label="open"),
        ]
    key_row(sheet, [*named, *([partial_key(sheet)] if any(is_partial) else [])])
    ax.set_ylim(len(drawn) - 0.4, -0.6)
    total = drawn["spent_cents"].sum() if drawn["spent_cents"].min() >= 0 else 0
    reach = drawn["spent"].clip(lower=0) + drawn["open"].clip(lower=0)
    high, low = float(reach.max()), float(drawn["spent"].min())
    room = (max(high, 0) - min(low, 0)) * 0.2
    ax.set_xlim(min(low * 1.05, 0) - (room if low < 0 else 0), max(high, 0) + room)
    shown = drawn[["label", "spent_cents", "spent"]].assign(end=reach)
    for place, (label, cents, dollars, end) in enumerate(shown.itertuples(index=False)):
        across = ax.get_yaxis_transform()
        write(
            sheet, 0, place, literal(label, 30), xycoords=across, xytext=(-6, 0), ha="right",
            color=look.ink, gid=NAME,
        )  # fmt: skip
        share = f"  {cents / total:.0%}" if 0 < cents <= total else ""
        side = (
            {"xytext": (4, 0), "ha": "left"} if dollars >= 0 else {"xytext": (-4, 0), "ha": "right"}
        )
        write(
            sheet,
            end if dollars >= 0 else dollars,
            place,
            f"{dollars_of(dollars)}{share}",
            gid="value",
            **side,
        )
    ax.set_yticks([])
    dollar_axis(sheet, "x")
    zero_line(sheet, "x")


# -- month by month ----------------------------------------------------------------------------


@told("plots")
def spending_by_month(
    table: pd.DataFrame,
    *,
    most: int = 8,
    colors: Mapping[str, int | str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw what was spent as stacked bars, month by month (or by another period).

    Refunds that exceed the spending of a month stand below the line; what is open is paler. The
    first and the last period are hatched where they are not whole.

    Parameters
    ----------
    table
        What ``spending(freq="month")`` makes; the period may be another one, and so may what is
        stacked. By the month alone (``spending(None, freq="month")``), bars are plain.
    most
        Colours that are stacked at most; the smallest sums become one.
    colors
        Place in the palette, or a colour, by the name of what is stacked.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: ``period``, ``label``, ``spent_cents``,
        ``spent``, ``open_cents``, ``open``.

    Raises
    ------
    UsageError
        The table lacks columns, or has no period.
    InvalidFilter
        No such theme.
    """
    check_table(table, ["period", *_SUMS], "spending_by_month", 'spending(freq="month")')
    freq = frequency_of(table["period"], told_frequency(table))
    drawn, order = _stacks(table, most)
    sheet = begin(ax, theme)
    what = keys(table)
    title = f"Spending by {freq}" + (f" and {' and '.join(what)}" if what else "")
    if drawn.empty or not drawn[_CENTS].to_numpy().any():
        return draw_nothing(sheet, drawn, title, nothing("spending", table), note)
    paint = chosen_colors(set(order) - {OTHERS}, sheet.look, colors)
    paint[OTHERS] = sheet.look.others
    if not what:
        paint = dict.fromkeys(order, sheet.look.accent)
    places = period_numbers(drawn["period"], freq)
    part = partial(table, drawn["period"], period_end(drawn["period"], freq), freq)
    _stacked_bars(sheet, drawn, places, order, paint, part)
    zero_line(sheet)
    dollar_axis(sheet)
    period_axis(sheet, places, freq, drawn["period"].iloc[0])
    named = [(literal(one, 22), paint[one]) for one in reversed(order)] if what else []
    if drawn["open_cents"].any():
        named.append(("open is paler", faded(sheet, paint[order[0]], 0.55)))
    hatched = [partial_key(sheet)] if part.periods else []
    if named or hatched:
        side_legend(sheet, named, *hatched)
    monthly = freq in ("month", "quarter", "year")
    span = span_words(*period_edges(drawn["period"], freq), monthly=monthly)
    return finish(sheet, drawn, f"{title}, {span}", note, *part.said, source=table)


def _stacks(table: pd.DataFrame, most: int) -> tuple[pd.DataFrame, list[str]]:
    """Return period, label, cents and dollars; and the labels from the bottom up."""
    by = keys(table)
    label: Any = _joined(table, by) if by else "spending"
    given = with_open(table)[["period", *_CENTS]].assign(label=label).dropna()
    sizes = given["spent_cents"].astype("int64").groupby(given["label"]).sum()
    kept = largest(sizes, most)
    given["label"] = given["label"].where(given["label"].isin(kept), OTHERS)
    sums = given.groupby(["period", "label"])[_CENTS].sum().astype("int64").reset_index()
    order = kept + ([OTHERS] if len(kept) < len(sizes) else [])
    return _in_dollars(sums), order


def _stacked_bars(
    sheet: Sheet,
    drawn: pd.DataFrame,
    places: Any,
    order: list[str],
    paint: dict[str, str],
    part: Partial,
) -> None:
    slots, rows = np.unique(places, return_index=True)
    is_partial = part.among(drawn["period"].iloc[rows])
    tops, bottoms = np.zeros(len(slots)), np.zeros(len(slots))
    for label in order:
        is_own = drawn["label"].to_numpy() == label
        shades = (
            ("spent", "_", paint[label]),
            ("open", "_open ", faded(sheet, paint[label], 0.55)),
        )
        for name, mark, color in shades:
            heights = np.zeros(len(slots))
            heights[np.searchsorted(slots, places[is_own])] = drawn[name].to_numpy()[is_own]
            if name == "open" and not heights.any():
                continue
            base = np.where(heights >= 0, tops, bottoms)
            bars = sheet.ax.bar(
                slots, heights, bottom=base, width=0.72, color=color, label=f"{mark}{label}",
                edgecolor=sheet.look.face, linewidth=0.5,
            )  # fmt: skip
            hatch(sheet, bars, is_partial)
            tops += np.clip(heights, 0, None)
            bottoms += np.clip(heights, None, 0)
