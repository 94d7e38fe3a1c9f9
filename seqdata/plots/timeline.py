"""What repeats, as a timeline."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seqdata.core.usage import told
from seqdata.plots.canvas import NAME, SMALL, Sheet, begin, draw_nothing, finish
from seqdata.plots.notes import check_table, listed, nothing
from seqdata.plots.parts import date_axis, key_row, write
from seqdata.plots.words import dollars_of, literal, span_words

_RECURRING = (
    "payee", "direction", "cadence", "usual_cents", "first_date", "last_date", "next_date",
    "is_active",
)  # fmt: skip


@told("plots")
def recurring(
    table: pd.DataFrame,
    *,
    most: int = 14,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw what repeats as a timeline: from the first to the last time, and the next one.

    A full dot is the last time, an open one the next time that is expected, a small line a
    change of price. What stopped is grey.

    Parameters
    ----------
    table
        What ``recurring()`` makes.
    most
        Rows that are drawn at most: active ones first, of these moves between own accounts last,
        the costliest a year first.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn rows, from the top.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, _RECURRING, "recurring", "recurring()")
    ranked = _by_cost(table)
    drawn = ranked.head(most)
    sheet = begin(ax, theme, height=1.1 + 0.26 * min(max(len(drawn), 6), 16))
    if drawn.empty:
        why = nothing("repeating payments", table)
        return draw_nothing(sheet, drawn, "Repeating payments", why, note)
    _timeline(sheet, drawn)
    rest = [literal(name, 24) for name in ranked["payee"].iloc[most:].unique()]
    more = [f"Not drawn: {listed(rest)}."] if rest else []
    span = span_words(drawn["first_date"].min(), drawn[["last_date", "next_date"]].max().max())
    return finish(sheet, drawn, f"Repeating payments, {span}", note, *more, source=table)


_TIMES_A_YEAR = {
    "weekly": 52.0, "biweekly": 26.0, "semimonthly": 24.0, "monthly": 12.0, "two-monthly": 6.0,
    "quarterly": 4.0, "half-yearly": 2.0, "yearly": 1.0,
}  # fmt: skip


def _by_cost(table: pd.DataFrame) -> pd.DataFrame:
    known = table.dropna(subset=["first_date", "last_date"])
    times = known["cadence"].astype("str").map(_TIMES_A_YEAR).astype("float64").fillna(1.0)
    yearly = known["usual_cents"].astype("float64").abs().fillna(0.0) * times
    kind = known["kind"].astype("str") if "kind" in known else pd.Series("", index=known.index)
    order = pd.DataFrame(
        {"active": known["is_active"].astype(bool), "paid": kind != "transfer", "yearly": yearly}
    )
    order = order.sort_values(["active", "paid", "yearly"], ascending=False, kind="stable")
    return known.loc[order.index].reset_index(drop=True)


def _timeline(sheet: Sheet, drawn: pd.DataFrame) -> None:
    ax, look = sheet.ax, sheet.look
    across = ax.get_yaxis_transform()
    rows: Any = drawn.itertuples(index=False)
    names = _names(drawn)
    for place, row in enumerate(rows):
        is_in = row.direction == "INCOMING"
        color = look.money_in if is_in else look.money_out
        if not row.is_active:
            color = look.others
        ax.plot(
            [row.first_date, row.last_date], [place, place], color=color, linewidth=3.2,
            alpha=0.55, solid_capstyle="round", gid=f"span:{place}",
        )  # fmt: skip
        ax.plot(row.last_date, place, marker="o", markersize=5, color=color, gid=f"last:{place}")
        if pd.notna(row.next_date):
            ax.plot(
                row.next_date, place, marker="o", markersize=5, markerfacecolor=look.face,
                markeredgecolor=color, markeredgewidth=1.3, gid=f"next:{place}",
            )  # fmt: skip
        if pd.notna(getattr(row, "changed_on", None)):
            ax.plot(
                row.changed_on, place, marker="|", markersize=9, markeredgewidth=1.6,
                color=look.ink, gid=f"changed:{place}",
            )  # fmt: skip
        write(
            sheet, 0, place, names[place], xycoords=across, xytext=(-6, 0), ha="right",
            color=look.ink if row.is_active else look.muted, gid=NAME,
        )  # fmt: skip
        write(
            sheet, 1, place, _price(row), xycoords=across, xytext=(6, 0), gid="price",
            fontsize=SMALL,
        )  # fmt: skip
    ax.set_ylim(len(drawn) - 0.4, -0.6)
    ax.set_yticks([])
    date_axis(
        sheet, drawn["first_date"].min(), drawn[["last_date", "next_date"]].max().max(), pad=0.02
    )
    ax.grid(axis="x", color=look.grid, linewidth=0.8)
    _recurring_legend(sheet, drawn)


def _names(drawn: pd.DataFrame) -> list[str]:
    """Name the rows by payee, and by account too where a payee stands twice."""
    payees = drawn["payee"].astype("str")
    is_twice = payees.duplicated(keep=False)
    accounts = drawn.get("account", payees)
    return [
        f"{literal(payee, 17)} · {literal(account, 11)}" if twice else literal(payee, 26)
        for payee, account, twice in zip(payees, accounts, is_twice, strict=True)
    ]


def _price(row: Any) -> str:
    usual = "?" if pd.isna(row.usual_cents) else dollars_of(abs(row.usual_cents) / 100)
    before = getattr(row, "previous_cents", None)
    if pd.notna(getattr(row, "changed_on", None)) and before is not None and pd.notna(before):
        usual = f"{dollars_of(abs(before) / 100)} → {usual}"
    return f"{usual} {row.cadence}" + ("" if row.is_active else ", stopped")


def _recurring_legend(sheet: Sheet, drawn: pd.DataFrame) -> None:
    look = sheet.look
    is_in = drawn["direction"].astype("str") == "INCOMING"
    is_active = drawn["is_active"].astype(bool)
    entries = [
        ("in", look.money_in, "o", (is_in & is_active).any()),
        ("out", look.money_out, "o", (~is_in & is_active).any()),
        ("stopped", look.others, "o", (~is_active).any()),
        ("next", look.muted, "open", drawn["next_date"].notna().any()),
    ]
    if "changed_on" in drawn:
        entries.append(("new price", look.ink, "|", drawn["changed_on"].notna().any()))
    handles = []
    for word, color, marker, is_there in entries:
        handle = Line2D(
            [], [], linestyle="none", marker="o" if marker == "open" else marker, color=color,
            markersize=5, label=word, markeredgewidth=1.3,
            markerfacecolor=look.face if marker == "open" else color,
        )  # fmt: skip
        if is_there:
            handles.append(handle)
    key_row(sheet, handles)
