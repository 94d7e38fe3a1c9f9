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
    wide = wide.fillna(0.0)
    order = wide.abs().mean().sort_values(ascending=False).index.tolist()
    if OTHERS in order:
        order = [OTHERS, *(own_id for own_id in order if own_id != OTHERS)]
    days, colors = wide.index.to_numpy("datetime64[us]"), [paint[own_id] for own_id in order]
    values = wide[order].to_numpy().T
    for part in (np.clip(values, 0, None), np.clip(values, None, 0)):
        if part.any():
            areas = ax.stackplot(
                days, part, colors=colors, linewidth=0.4, edgecolor=sheet.look.face
            )
            for own_id, area in zip(order, areas, strict=True):
                area.set_gid(f"area:{own_id}")
    total = values.sum(axis=0)
    ax.plot(days, total, color=sheet.look.ink, linewidth=1.1, gid="total", label="_total")
    _seen_totals(sheet, table, days, total)
    dollar_axis(sheet)
    date_axis(sheet, days[0], days[-1])
    if (total < 0).any() or (values < 0).any():
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
