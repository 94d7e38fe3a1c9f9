"""Balances over time as areas that sum to what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.plots.canvas import Sheet
from seqdata.plots.grouping import OTHERS
from seqdata.plots.parts import (
    date_axis,
    dollar_axis,
    side_legend,
    zero_line,
)


def draw_stacked(
    sheet: Sheet, table: pd.DataFrame, names: dict[str, str], paint: dict[str, str]
) -> None:
    """Draw each account as an area, and their sum as a line; debts stand below zero."""
    ax = sheet.ax
    wide = table.pivot_table(index="date", columns="account_id", values="balance", aggfunc="last")
    order = wide.abs().mean().sort_values(ascending=False).index.tolist()
    if OTHERS in order:
        order = [OTHERS, *(own_id for own_id in order if own_id != OTHERS)]
    days, values = wide.index.to_numpy("datetime64[us]"), wide[order].to_numpy().T
    # The last balance holds for a step too: else what is known since then has no width.
    step = np.diff(days).min() if len(days) > 1 else np.timedelta64(1, "D")
    edges = np.append(days, days[-1] + step)
    bases = {1: np.zeros(len(edges)), -1: np.zeros(len(edges))}
    for own_id, known in zip(order, values, strict=True):
        dollars = np.append(known, known[-1])
        for side, base in bases.items():
            part = np.where(side * dollars > 0, dollars, 0.0)
            if part.any():
                ax.fill_between(
                    edges, base, base + part, where=part != 0, step="post", color=paint[own_id],
                    linewidth=0.0, gid=f"area:{own_id}",
                )  # fmt: skip
                bases[side] = base + part
    # A sum of which a part is not known is not known.
    total = values.sum(axis=0)
    ax.plot(
        days, total, color=sheet.look.ink, linewidth=1.1, gid="total", label="_total",
        drawstyle="steps-post", marker="o" if len(days) == 1 else None, markersize=3.4,
    )  # fmt: skip
    _seen_totals(sheet, table, days, total)
    dollar_axis(sheet)
    date_axis(sheet, days[0], edges[-1])
    if (values < 0).any():
        zero_line(sheet)
    side_legend(sheet, [(names[own_id], paint[own_id]) for own_id in reversed(order)])


def _seen_totals(sheet: Sheet, table: pd.DataFrame, days: Any, total: Any) -> None:
    """Mark the days on which each account of the stack was observed."""
    is_seen = table["provenance"].eq("observed").groupby(table["date"]).all().to_numpy()
    if is_seen.any():
        sheet.ax.plot(
            days[is_seen], total[is_seen], linestyle="none", marker="o", markersize=3.4,
            color=sheet.look.ink, gid="points:total", label="_points", zorder=3,
        )  # fmt: skip
