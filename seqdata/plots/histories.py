"""Balances over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seqdata.analysis.filters import find_account
from seqdata.core.usage import told
from seqdata.exceptions import InvalidFilter
from seqdata.plots.canvas import Sheet, begin, draw_nothing, finish
from seqdata.plots.grouping import OTHERS, largest
from seqdata.plots.notes import check_table, listed, nothing
from seqdata.plots.parts import (
    date_axis,
    dollar_axis,
    end_labels,
    key_row,
    room_for,
    zero_line,
)
from seqdata.plots.stacked import draw_stacked
from seqdata.plots.theme import chosen_colors
from seqdata.plots.words import day_words, dollars_of, labels, span_words

_COLUMNS = ("account_id", "name", "kind", "date", "balance_cents", "balance", "provenance")
_KINDS = ("lines", "stacked")

#: From the best known to the least known.
_RANKS = {"observed": 0, "derived": 1, "carried": 2}


@told("plots")
def balances(
    history: pd.DataFrame,
    goals: pd.DataFrame | Mapping[str, int] | None = None,
    *,
    account: str | Sequence[str] | None = None,
    kind: str = "lines",
    most: int = 8,
    colors: Mapping[str, int | str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw balances over time.

    Observed balances are dots; what was derived from them over the movements is a thin line,
    what is only carried forward a dashed one. Between two days nothing is known, so that lines
    are steps. Debts stand below zero.

    Parameters
    ----------
    history
        What ``balance_history()`` makes.
    goals
        Cents by account id, or an accounts table (``id``, ``goal_cents``): a line at each goal
        of an account that is drawn. Not in a stacked chart.
    account
        An id or a name, or several. By default all that ever held anything.
    kind
        "lines", or "stacked" areas that sum to what there is.
    most
        Series that are drawn at most. The smallest others are named below; a stack sums them, as
        one of these.
    colors
        Place in the palette, or a colour, by account id: see :func:`account_colors`.
    ax
        Axes to draw on; by default those of a new figure, which a notebook shows.
    theme
        "light" or "dark"; by default what fits matplotlib's figure.facecolor.
    note
        Words below the chart, before what is known of the data; "" leaves both out.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter, UnknownAccount
        No such kind or theme; no such account in the table.
    """
    check_table(history, _COLUMNS, "balances", "balance_history()")
    if kind not in _KINDS:
        raise InvalidFilter("kind", kind, _KINDS)
    chosen = signed(chosen_history(history, account))
    if chosen.empty:
        why = nothing("known balance", history)
        return draw_nothing(begin(ax, theme), chosen, "Balances", why, note)
    # Where the rest is not drawn, it takes no series.
    table, grouped = _grouped(chosen, most if kind == "stacked" else most + 1)
    if kind == "lines":
        table = table[table["account_id"] != OTHERS].reset_index(drop=True)
    wanted = cents_of_goals(goals) if kind == "lines" else {}
    aims = {one: cents for one, cents in wanted.items() if (table["account_id"] == one).any()}
    sheet = begin(ax, theme, height=room_for(table["account_id"].nunique() + len(aims)))
    series = table.drop_duplicates("account_id", keep="last")
    names = labels(series["account_id"], series["name"])
    paint = chosen_colors(set(names) - {OTHERS}, sheet.look, colors)
    paint[OTHERS] = sheet.look.others
    if kind == "lines":
        _lines(sheet, table, names, paint, aims)
    else:
        draw_stacked(sheet, table, names, paint)
    word = "Not drawn" if kind == "lines" else "Others"
    more = [f"{word}: {listed(grouped)}."] if grouped else []
    more += _unknown(table, names) if kind == "stacked" else []
    title = f"Balances, {span_words(table['date'].min(), table['date'].max())}"
    return finish(sheet, table, title, note, *more, source=history)


# -- the table ---------------------------------------------------------------------------------


def chosen_history(history: pd.DataFrame, account: str | Sequence[str] | None) -> pd.DataFrame:
    """Return the known balances of some accounts, by default of all that ever held anything."""
    table = history[history["balance_cents"].notna()]
    table = table.astype({"account_id": "str", "name": "str", "provenance": "str"})
    if account is None:
        held = table["balance_cents"].ne(0).groupby(table["account_id"]).transform("any")
        table = table[held] if held.any() else table
    else:
        wanted = [account] if isinstance(account, str) else account
        known = history.astype({"name": "str"})[["account_id", "name"]].drop_duplicates()
        known = known.set_axis(["id", "name"], axis="columns")
        ids = {own_id for one in wanted for own_id in find_account(one, known)}
        table = table[table["account_id"].isin(ids)]
    return table.sort_values(["account_id", "date"], kind="stable", ignore_index=True)


def signed(table: pd.DataFrame) -> pd.DataFrame:
    """Return balances that can be summed: what is owed is below zero."""
    if "is_owed" not in table:
        return table
    owed = table["is_owed"].to_numpy(bool)
    sums = ("balance_cents", "balance")
    signed = {name: table[name].where(~owed, -table[name]) for name in sums}
    return table.assign(**signed).drop(columns="is_owed")


def _grouped(table: pd.DataFrame, most: int) -> tuple[pd.DataFrame, list[str]]:
    """Sum the smallest series into one; return the names of what it sums."""
    sizes = table["balance"].abs().groupby(table["account_id"]).mean()
    kept = largest(sizes, most)
    rest = signed(table[~table["account_id"].isin(kept)])
    if rest.empty:
        return table, []
    ranks = rest["provenance"].map(_RANKS).groupby(rest["date"]).max()
    sums = rest.groupby("date")[["balance_cents", "balance"]].sum()
    others = sums.assign(
        account_id=OTHERS,
        name=OTHERS,
        provenance=ranks.map({rank: word for word, rank in _RANKS.items()}),
    )
    named = rest.drop_duplicates("account_id")
    shown = labels(named["account_id"], named["name"])
    order = sizes[list(shown)].sort_values(ascending=False).index
    ranked = [shown[own_id] for own_id in order]
    drawn = table[table["account_id"].isin(kept)]
    return pd.concat([drawn, others.reset_index()], ignore_index=True), ranked


def _unknown(table: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Name what is not known on each day of a stack: it is not in the areas of that day."""
    days = table["date"].nunique()
    known = table.groupby("account_id", sort=False)["date"].agg(["min", "size"])
    rows: Any = known[known["size"] < days].itertuples()
    late = [f"{names[str(row.Index)]} (from {day_words(row.min)})" for row in rows]
    return [f"Not known on each day: {listed(late)}."] if late else []


def cents_of_goals(goals: pd.DataFrame | Mapping[str, int] | None) -> dict[str, int]:
    """Return the cents of each goal by account id."""
    if goals is None:
        return {}
    if isinstance(goals, pd.DataFrame):
        check_table(goals, ["id", "goal_cents"], "balances(goals=)", "Ledger.accounts")
        known = goals[goals["goal_cents"].notna()]
        goals = dict(zip(known["id"].astype(str), known["goal_cents"].astype(int), strict=True))
    return {str(own_id): int(cents) for own_id, cents in goals.items()}


# -- lines -------------------------------------------------------------------------------------


def _lines(
    sheet: Sheet,
    table: pd.DataFrame,
    names: dict[str, str],
    paint: dict[str, str],
    goals: dict[str, int],
) -> None:
    ax = sheet.ax
    ends = []
    for own_id, rows in table.groupby("account_id", sort=False):
        _line(sheet, str(own_id), rows, paint[str(own_id)])
        ends.append((float(rows["balance"].iloc[-1]), names[str(own_id)], paint[str(own_id)]))
    dollar_axis(sheet)
    date_axis(sheet, table["date"].min(), table["date"].max())
    ax.margins(y=0.06)
    drawn = {own_id: cents / 100 for own_id, cents in goals.items()}
    for own_id, dollars in drawn.items():
        _goal(sheet, own_id, dollars, paint[own_id])
    ax.autoscale_view(scalex=False)
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0), high)
    if low < 0:
        zero_line(sheet)
    # Beside the chart, as the names of the lines: on it they would stand over lines.
    ends += [
        (dollars, f"goal {names[own_id]} {dollars_of(dollars)}", paint[own_id])
        for own_id, dollars in drawn.items()
    ]
    end_labels(sheet, ends)
    _legend(sheet, set(table["provenance"]), bool(drawn))


def _line(sheet: Sheet, own_id: str, rows: pd.DataFrame, color: str) -> None:
    days = rows["date"].to_numpy("datetime64[us]")
    dollars = rows["balance"].to_numpy(np.float64)
    provenance = rows["provenance"].to_numpy()
    is_seen, is_carried = provenance == "observed", provenance == "carried"
    both_seen = is_seen[1:] & is_seen[:-1]
    styles = (
        ("observed", both_seen, {"linewidth": 2.0}),
        ("derived", ~both_seen & ~is_carried[1:], {"linewidth": 1.2, "alpha": 0.9}),
        ("carried", is_carried[1:], {"linewidth": 1.2, "linestyle": (0, (3, 2)), "alpha": 0.9}),
    )
    for word, wanted, style in styles:
        if wanted.any():
            sheet.ax.plot(
                *_pieces(days, dollars, wanted), color=color, gid=f"{word}:{own_id}",
                label=f"_{word}", solid_joinstyle="round", drawstyle="steps-post", **style,
            )  # fmt: skip
    if len(days) == 1 and not is_seen.any():
        sheet.ax.plot(
            days, dollars, linestyle="none", marker="o", markersize=4, markerfacecolor="none",
            color=color, gid=f"single:{own_id}", label="_single", zorder=3,
        )  # fmt: skip
    sheet.ax.plot(
        days[is_seen], dollars[is_seen], linestyle="none", marker="o", markersize=3.4,
        color=color, markeredgecolor=sheet.look.face, markeredgewidth=0.5, zorder=3,
        gid=f"points:{own_id}", label="_points",
    )  # fmt: skip


def _pieces(days: Any, dollars: Any, wanted: Any) -> tuple[Any, Any]:
    """Return the points of the wanted segments, a gap where the next one is not wanted."""
    starts = np.flatnonzero(wanted)
    ends = starts + 1
    breaks = np.append(np.diff(starts) > 1, False)
    order = np.concatenate([starts, ends, ends[breaks]])
    is_gap = np.concatenate([np.zeros(2 * len(starts), bool), np.ones(breaks.sum(), bool)])
    # By point, gaps after it; a point that ends one segment and begins the next stands once.
    sort = np.lexsort([is_gap, order])
    order, is_gap = order[sort], is_gap[sort]
    keep = np.append(True, (order[1:] != order[:-1]) | is_gap[1:])
    order, is_gap = order[keep], is_gap[keep]
    return days[order], np.where(is_gap, np.nan, dollars[order])


def _goal(sheet: Sheet, own_id: str, dollars: float, color: str) -> None:
    sheet.ax.axhline(
        dollars, color=color, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.2, gid=f"goal:{own_id}"
    )


def _legend(sheet: Sheet, provenances: set[str], has_goals: bool) -> None:
    """Say what dots, dashes and dotted lines mean, where there are any."""
    color = sheet.look.muted
    known = {
        "observed": Line2D([], [], color=color, marker="o", markersize=3.4, linestyle="none"),
        "derived": Line2D([], [], color=color, linewidth=1.2),
        "carried": Line2D([], [], color=color, linewidth=1.2, linestyle=(0, (3, 2))),
    }
    handles = []
    for word, handle in known.items():
        if word in provenances:
            handle.set_label(word)
            handles.append(handle)
    if has_goals:
        style: Any = (0, (1, 2))
        handles.append(Line2D([], [], color=color, linewidth=1.0, linestyle=style, label="goal"))
    key_row(sheet, handles)
