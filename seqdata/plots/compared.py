"""What changed: one period beside another one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from seqdata.core.usage import told
from seqdata.plots.canvas import NAME, Sheet, begin, draw_nothing, finish
from seqdata.plots.grouping import largest
from seqdata.plots.notes import check_table, facts_of, nothing
from seqdata.plots.parts import dollar_axis, faded, key_row, write, zero_line
from seqdata.plots.words import dollars_of, literal

_COLUMNS = ("spent_cents", "before_cents", "change_cents")
_COUNTS = ("change_share", "days", "before_days", "before_periods", "disguised")


@told("plots")
def compare(
    table: pd.DataFrame,
    *,
    most: int = 12,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw what was spent beside what was spent before, the largest change at the top.

    Parameters
    ----------
    table
        What ``compare()`` makes. Its words say which days were compared; they stand below.
    most
        Rows that are drawn at most; the smallest changes become one.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: ``label``, ``spent_cents``, ``before_cents``,
        ``change_cents``.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, _COLUMNS, "compare", "compare()")
    drawn = _changes(table, most)
    sheet = begin(ax, theme, height=1.3 + 0.3 * min(max(len(drawn), 5), 16))
    if drawn.empty or not drawn[list(_COLUMNS)].to_numpy().any():
        return draw_nothing(sheet, drawn, "Spending compared", nothing("spending", table), note)
    _pairs(sheet, drawn)
    said = facts_of(table).get("in_words")
    more = [f"Compared: {literal(said)}."] if said else []
    return finish(sheet, drawn, _headline(drawn), note, *more, source=table)


def _changes(table: pd.DataFrame, most: int) -> pd.DataFrame:
    cents = list(_COLUMNS)
    names = [
        name for name in table
        if name not in (*cents, *(one.removesuffix("_cents") for one in cents), *_COUNTS)
        and not str(name).endswith("_id")
    ]  # fmt: skip
    words = table[names].astype("object").fillna("none").astype("str")
    label = words.agg(" · ".join, axis="columns") if names else pd.Series("all", table.index)
    sums = table[cents].fillna(0).astype("int64").assign(label=label).groupby("label").sum()
    kept = largest(sums["change_cents"].abs(), most)
    rest = sums[~sums.index.isin(kept)]
    drawn = sums.loc[kept].reset_index()
    if len(rest):
        others = rest.sum().to_frame().T.assign(label=f"{len(rest)} others")
        drawn = pd.concat([drawn, others], ignore_index=True)
    return drawn[["label", *cents]]


def _headline(drawn: pd.DataFrame) -> str:
    """Say in a sentence how much more or less was spent."""
    change = int(drawn["change_cents"].sum())
    spent = dollars_of(drawn["spent_cents"].sum() / 100)
    if change == 0:
        return f"Spent {spent}, as much as before"
    word = "more" if change > 0 else "less"
    return f"Spent {spent}, {dollars_of(abs(change) / 100)} {word} than before"


def _pairs(sheet: Sheet, drawn: pd.DataFrame) -> None:
    ax, look, places = sheet.ax, sheet.look, np.arange(len(drawn))
    pale = faded(sheet, look.muted, 0.5)
    now, before = drawn["spent_cents"] / 100, drawn["before_cents"] / 100
    ax.barh(places - 0.19, now, height=0.36, color=look.accent, label="_spent")
    ax.barh(places + 0.19, before, height=0.36, color=pale, label="_before")
    low, high = float(min(now.min(), before.min(), 0)), float(max(now.max(), before.max(), 0))
    ax.set_xlim(low * 1.05, high + (high - low) * 0.22)
    ax.set_ylim(len(drawn) - 0.4, -0.6)
    across = ax.get_yaxis_transform()
    rows: Any = drawn.itertuples()
    for row in rows:
        write(
            sheet, 0, row.Index, literal(row.label, 30), xycoords=across, xytext=(-6, 0),
            ha="right", color=look.ink, gid=NAME,
        )  # fmt: skip
        end = max(row.spent_cents, row.before_cents, 0) / 100
        sign = "+" if row.change_cents > 0 else ""
        words = f"{sign}{dollars_of(row.change_cents / 100)}" if row.change_cents else "as before"
        write(sheet, end, row.Index, words, xytext=(4, 0), gid="change")
    ax.set_yticks([])
    dollar_axis(sheet, "x")
    zero_line(sheet, "x")
    key_row(
        sheet, [Patch(facecolor=look.accent, label="now"), Patch(facecolor=pale, label="before")]
    )
