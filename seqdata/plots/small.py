"""Each pod in a chart of its own, all in one picture: what it held, expects and aims at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seqdata.core.usage import told
from seqdata.plots.canvas import SMALL, Sheet, begin, draw_nothing, finish
from seqdata.plots.histories import cents_of_goals, chosen_history, signed
from seqdata.plots.notes import check_table, listed, nothing
from seqdata.plots.parts import key_row
from seqdata.plots.theme import chosen_colors
from seqdata.plots.words import dollars_of, families, labels, span_words

_COLUMNS = ("account_id", "name", "kind", "date", "balance_cents", "balance", "provenance")
_PROJECTED = ("account_id", "date", "balance", "low", "high")

#: Small charts side by side.
_ACROSS = 3


@told("plots")
def pods(
    history: pd.DataFrame,
    projected: pd.DataFrame | None = None,
    goals: pd.DataFrame | Mapping[str, int] | None = None,
    *,
    most: int = 15,
    colors: Mapping[str, int | str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw each pod small, with its own dollars: what it held, its goal, and what is expected.

    Parameters
    ----------
    history
        What ``balance_history()`` makes.
    projected
        What ``projected_balances()`` makes: a paler line with the band that it may lie in.
    goals
        As for :func:`balances`: a dotted line.
    most
        Small charts at most, of the fullest; the others are named below.
    colors, ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        The frame of all; :func:`table_of` gives the drawn history.

    Raises
    ------
    UsageError
        A table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(history, _COLUMNS, "pods", "balance_history()")
    if projected is not None:
        check_table(projected, _PROJECTED, "pods(projected=)", "projected_balances()")
    chosen = signed(chosen_history(history, None))
    if chosen.empty:
        why = nothing("known balance", history)
        return draw_nothing(begin(ax, theme), chosen, "Balances by pod", why, note)
    sizes = chosen["balance"].abs().groupby(chosen["account_id"]).mean()
    kept = sizes.sort_values(ascending=False, kind="stable").index[:most].tolist()
    series = chosen.drop_duplicates("account_id")
    names = labels(series["account_id"], series["name"], 22)
    rows = -(-len(kept) // _ACROSS)
    sheet = begin(ax, theme, height=1.0 + 1.15 * rows)
    sheet.ax.set_xticks([])
    sheet.ax.set_yticks([])
    paint, aims = chosen_colors(kept, sheet.look, colors), cents_of_goals(goals)
    for place, own_id in enumerate(kept):
        box = _place(place, rows)
        own = chosen[chosen["account_id"] == own_id]
        ahead = None if projected is None else projected[projected["account_id"] == own_id]
        _small(sheet, box, own, ahead, aims.get(own_id), names[own_id], paint[own_id])
    drawn = chosen[chosen["account_id"].isin(kept)].reset_index(drop=True)
    _legend(sheet, projected is not None, any(own_id in aims for own_id in kept))
    rest = [names[own_id] for own_id in sizes.index if own_id not in kept]
    more = [f"Not drawn: {listed(rest)}."] if rest else []
    span = span_words(drawn["date"].min(), drawn["date"].max())
    return finish(sheet, drawn, f"Balances by pod, {span}", note, *more, source=history)


def _place(place: int, rows: int) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of a small chart, as shares of all."""
    row, column = divmod(place, _ACROSS)
    wide, high = 1 / _ACROSS, 1 / rows
    return column * wide + 0.02, 1 - (row + 1) * high + 0.12 * high, wide * 0.88, high * 0.58


def _small(
    sheet: Sheet,
    box: tuple[float, float, float, float],
    own: pd.DataFrame,
    ahead: pd.DataFrame | None,
    goal: int | None,
    name: str,
    color: str,
) -> None:
    inner, look = sheet.ax.inset_axes(box), sheet.look
    own_id = str(own["account_id"].iloc[0])
    inner.set_facecolor(look.face)
    for side in inner.spines.values():
        side.set_visible(False)
    days, dollars = own["date"].to_numpy("datetime64[us]"), own["balance"].to_numpy(np.float64)
    inner.plot(
        days, dollars, color=color, linewidth=1.3, drawstyle="steps-post", gid=f"line:{own_id}",
        marker="o" if len(days) == 1 else None, markersize=3,
    )  # fmt: skip
    if ahead is not None and len(ahead):
        then = ahead["date"].to_numpy("datetime64[us]")
        low, high, middle = (ahead[one].to_numpy(np.float64) for one in ("low", "high", "balance"))
        inner.fill_between(
            then, low, high, color=color, alpha=0.18, linewidth=0, step="post",
            gid=f"band:{own_id}",
        )  # fmt: skip
        inner.plot(
            then, middle, color=color, linewidth=1.1, alpha=0.7, drawstyle="steps-post",
            gid=f"expected:{own_id}",
        )  # fmt: skip
    if goal is not None:
        inner.axhline(
            goal / 100, color=look.muted, linewidth=1.0, linestyle=(0, (1, 2)),
            gid=f"goal:{own_id}",
        )  # fmt: skip
    inner.axhline(0, color=look.grid, linewidth=0.8, zorder=0.5)
    inner.set_xticks([])
    inner.set_yticks([])
    options: Any = {
        "transform": inner.transAxes, "fontsize": SMALL, "va": "bottom", "parse_math": False,
        "usetex": False, "fontfamily": families(),
    }  # fmt: skip
    held = dollars_of(float(dollars[-1]))
    aim = "" if goal is None else f" of {dollars_of(goal / 100)}"
    inner.text(0, 1.28, name, color=look.ink, gid="name", **options)
    inner.text(0, 1.03, held + aim, color=look.muted, gid="held", **options)


def _legend(sheet: Sheet, has_band: bool, has_goals: bool) -> None:
    color = sheet.look.muted
    handles: list[Any] = [Line2D([], [], color=color, linewidth=1.3, label="held")]
    if has_band:
        handles.append(Patch(facecolor=color, alpha=0.3, linewidth=0, label="expected"))
    if has_goals:
        style: Any = (0, (1, 2))
        handles.append(Line2D([], [], color=color, linewidth=1.0, linestyle=style, label="goal"))
    key_row(sheet, handles)
