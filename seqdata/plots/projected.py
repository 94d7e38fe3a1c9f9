"""The balances that are expected."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seqdata.core.usage import told
from seqdata.plots.canvas import Sheet, begin, draw_nothing, finish
from seqdata.plots.notes import check_table, listed, nothing
from seqdata.plots.parts import date_axis, dollar_axis, end_labels, key_row, room_for, zero_line
from seqdata.plots.theme import chosen_colors
from seqdata.plots.words import labels, span_words

_PROJECTED = (
    "account_id", "name", "date", "balance_cents", "balance", "low_cents", "low", "high_cents",
    "high", "is_short", "may_run_short", "method",
)  # fmt: skip

#: The part of the days of which it is said that they are drawn as today.
_MOST = 0.5


@told("plots")
def upcoming(
    projected: pd.DataFrame,
    *,
    most: int = 6,
    colors: Mapping[str, int | str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw the balances that are expected, each with the band it may lie in.

    Pods that are expected to run short come first, then those that may, then the fullest; what
    runs short is named with its day.

    Parameters
    ----------
    projected
        What ``projected_balances()`` makes.
    most
        Lines that are drawn at most; the others are named below.
    colors
        Place in the palette, or a colour, by account id: see :func:`account_colors`.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn rows.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(projected, _PROJECTED, "upcoming", "projected_balances()")
    known = projected[projected["balance_cents"].notna()].astype({"name": "str"})
    shown = min(most, known["account_id"].nunique())
    sheet = begin(ax, theme, height=room_for(shown))
    if known.empty:
        why = nothing("balance to project", projected)
        return draw_nothing(sheet, known, "Expected balances", why, note)
    names = _labels(known)
    order = _by_need(known)
    kept, rest = order[:most], order[most:]
    drawn = known[known["account_id"].isin(kept)]
    drawn = drawn.sort_values(["account_id", "date"], kind="stable", ignore_index=True)
    _projections(sheet, drawn, names, chosen_colors(kept, sheet.look, colors))
    more = [*_shortages(known, names)]
    more += _methods(known, names)
    if rest:
        more.append(f"Not drawn: {listed([names[own_id] for own_id in rest])}.")
    span = span_words(drawn["date"].min(), drawn["date"].max())
    return finish(sheet, drawn, f"Expected balances, {span}", note, *more, source=projected)


def _labels(known: pd.DataFrame) -> dict[str, str]:
    series = known.drop_duplicates("account_id")
    return labels(series["account_id"], series["name"], 20)


def _by_need(known: pd.DataFrame) -> list[str]:
    """Order accounts: those that run short, those that may, then those that hold most."""
    known = known.astype({"account_id": "str"})
    own = known.groupby("account_id", sort=True)
    need = pd.DataFrame(
        {
            "short": own["is_short"].any(),
            "may": own["may_run_short"].any(),
            "held": own["balance"].last().abs(),
        }
    )
    ranked = need.sort_values(["short", "may", "held"], ascending=False, kind="stable")
    return [str(own_id) for own_id in ranked.index]


def _projections(
    sheet: Sheet, drawn: pd.DataFrame, names: dict[str, str], paint: dict[str, str]
) -> None:
    ax, ends = sheet.ax, []
    for own_id, rows in drawn.groupby("account_id", sort=False):
        color = paint[str(own_id)]
        days = rows["date"].to_numpy("datetime64[us]")
        low, high = (rows[side].to_numpy(np.float64) for side in ("low", "high"))
        ax.fill_between(
            days, low, high, color=color, alpha=0.16, linewidth=0, step="post",
            gid=f"band:{own_id}",
        )  # fmt: skip
        ax.plot(
            days, rows["balance"], color=color, linewidth=1.6, drawstyle="steps-post",
            marker="o" if len(days) == 1 else None, markersize=4, gid=f"line:{own_id}",
        )  # fmt: skip
        is_short = rows["is_short"].to_numpy(bool)
        if is_short.any():
            first = int(np.argmax(is_short))
            ax.plot(
                days[first], rows["balance"].iloc[first], marker="o", markersize=5, color=color,
                markeredgecolor=sheet.look.face, gid=f"short:{own_id}", zorder=4,
            )  # fmt: skip
        ends.append((float(rows["balance"].iloc[-1]), names[str(own_id)], color))
    dollar_axis(sheet)
    date_axis(sheet, drawn["date"].min(), drawn["date"].max())
    bottom, top = ax.get_ylim()
    ax.set_ylim(min(bottom, 0), top)
    zero_line(sheet)
    end_labels(sheet, ends)
    color = sheet.look.muted
    key_row(
        sheet,
        [
            Line2D([], [], color=color, linewidth=1.6, label="expected"),
            Patch(facecolor=color, alpha=0.3, linewidth=0, label="likely range"),
        ],
    )


def _shortages(known: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Name what is expected to run short, and what may."""
    said: list[str] = []
    already: set[str] = set()
    for column, words in (("is_short", "Runs short"), ("may_run_short", "May run short")):
        rows = known[known[column].astype(bool)].sort_values("date", kind="stable")
        rows = rows.drop_duplicates("account_id")
        rows = rows[~rows["account_id"].isin(already)]
        already |= set(rows["account_id"])
        named = [
            f"{names[str(own_id)]} ({day:%b} {day.day})"
            for own_id, day in zip(rows["account_id"], rows["date"], strict=True)
        ]
        if named:
            said.append(f"{words}: {listed(named)}.")
    return said


def _methods(known: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Name what is drawn as it is today, and why."""
    said = []
    for method, words in (
        ("nothing changes", "Best forecast so far as unchanged"),
        ("not enough history", "Not enough history"),
    ):
        is_so = (known["method"] == method).groupby(known["account_id"]).mean() > _MOST
        own = is_so.index[is_so]
        if len(own):
            said.append(f"{words}: {listed([names[str(own_id)] for own_id in own])}.")
    return said
