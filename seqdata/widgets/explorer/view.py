"""What an explorer shows: pure functions of what was read and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.filters import with_own_words
from seqdata.core.text import format_cents
from seqdata.ledger.query import plain_filters
from seqdata.widgets.explorer.rows import Positions, Rows
from seqdata.widgets.explorer.state import COLUMNS, Asked, pretty

#: The most rows that one answer carries.
LARGEST_PAGE = 500

#: A longer text is cut in a cell, and whole in the details.
LONGEST_CELL = 200


@dataclass(frozen=True)
class Totals:
    """The sums of all rows that pass, exact in cents.

    `moved_in_cents` and `moved_out_cents` are what came in and went out; with an account chosen,
    what moved inside counts as coming in or going out where it reached or left that account.
    `inside_cents` is the rest of what moved inside. What failed, was cancelled or was reversed is
    in `left_out` (rows) and `left_out_cents` alone; `failed` and `failed_cents` are the part of it
    whose state is failed or cancelled.
    """

    count: int
    moved_in_cents: int
    moved_out_cents: int
    inside_cents: int
    left_out: int
    left_out_cents: int
    failed: int
    failed_cents: int

    @property
    def net_cents(self) -> int:
        """What came in less what went out."""
        return self.moved_in_cents - self.moved_out_cents


@dataclass(frozen=True)
class View:
    """The rows that pass, in their order: `places` says where they stand in `rows.frame`."""

    rows: Rows
    asked: Asked
    places: Positions
    totals: Totals
    account_ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)

    @property
    def frame(self) -> pd.DataFrame:
        """What is shown, all of it, with all columns that the transfers have."""
        found = with_own_words(self.rows.frame.iloc[self.places].reset_index(drop=True))
        known = self.rows.frame.attrs.get("seqdata", {})
        sort = {"column": self.asked.sort.column, "descending": self.asked.sort.descending}
        filters = plain_filters(self.asked.filters.given())
        found.attrs["seqdata"] = {**known, "filters": filters, "sort": sort}
        return found


def look(rows: Rows, asked: Asked) -> View:
    """Filter, sum and sort.

    Raises
    ------
    InvalidMoment, InvalidFilter, UnknownAccount
        A filter that cannot be used; the message lists the choices.
    """
    places = rows.matching(asked.filters)
    ids = rows.account_ids(asked.filters.account)
    return View(rows, asked, rows.ordered(places, asked.sort, ids), _totals(rows, places, ids), ids)


def _totals(rows: Rows, places: Positions, ids: tuple[str, ...]) -> Totals:
    sums = rows.sums(places, ids)
    failed, failed_cents = sums["failed"]
    others, others_cents = sums["left out"]
    return Totals(
        count=len(places),
        moved_in_cents=sums["in"][1],
        moved_out_cents=sums["out"][1],
        inside_cents=sums["inside"][1],
        left_out=failed + others,
        left_out_cents=failed_cents + others_cents,
        failed=failed,
        failed_cents=failed_cents,
    )


def page(view: View, start: int, stop: int) -> list[list[str]]:
    """Return the cells of some rows as text, in the order of the columns.

    A last cell says how the row is marked: "in", "out" or "inside", and "back" behind it where
    the money is not counted.

    Parameters
    ----------
    start, stop
        Rows of the view; at most :data:`LARGEST_PAGE` from `start` are returned.
    """
    start = max(0, start)
    places = view.places[start : max(start, min(stop, start + LARGEST_PAGE))]
    rows = view.rows.frame.iloc[places]
    signed = view.rows.signed_cents(places, view.account_ids)
    counted = view.rows.is_counted(places)
    amounts = [
        money(cents, sign)
        for cents, sign in zip(rows["amount_cents"], signed.tolist(), strict=True)
    ]
    made = {
        "created_at": _texts(rows["created_at"].dt.strftime("%Y-%m-%d %H:%M")),
        "amount": amounts,
        "state": [
            "Reversed" if is_reversed else pretty(text)
            for text, is_reversed in zip(
                _texts(rows["state"]), rows["returned_at"].notna(), strict=True
            )
        ],
    }
    columns = [made[c.key] if c.key in made else _texts(rows[c.key]) for c in COLUMNS]
    marks = [_mark(s, is_counted=c) for s, c in zip(signed, counted, strict=True)]
    return [list(cells) for cells in zip(*columns, marks, strict=True)]


def money(cents: Any, signed: int) -> str:
    """Write an amount with the sign of `signed`; "" where the amount is not known."""
    if pd.isna(cents):
        return ""
    sign = "+" if signed > 0 else "-" if signed < 0 else ""
    return sign + format_cents(int(cents))


def totals_shown(view: View) -> list[dict[str, str]]:
    """Return the sums as text: a name, a label, and the text of each."""
    totals = view.totals
    labels = ("Into this account", "Out of it") if view.account_ids else ("Money in", "Money out")
    others, others_cents = (
        totals.left_out - totals.failed,
        totals.left_out_cents - totals.failed_cents,
    )
    shown = [
        ("count", "Transfers", f"{totals.count:,}"),
        ("in", labels[0], money(totals.moved_in_cents, totals.moved_in_cents)),
        ("out", labels[1], money(totals.moved_out_cents, -totals.moved_out_cents)),
        ("net", "Net", money(abs(totals.net_cents), totals.net_cents)),
        ("inside", "Moved inside", format_cents(totals.inside_cents)),
    ]
    if totals.failed:
        shown.append(("failed", "Did not go through", _counted(totals.failed, totals.failed_cents)))
    if others:
        shown.append(("left-out", "Reversed or not known", _counted(others, others_cents)))
    return [{"name": name, "label": label, "text": text} for name, label, text in shown]


def _counted(count: int, cents: int) -> str:
    return f"{count:,} · {format_cents(cents)}"


def empty_reason(view: View) -> str:
    """Say why there is no row; "" where there is one."""
    if len(view):
        return ""
    if not len(view.rows):
        return "There are no transfers yet. ledger.sync() brings them; then press Read again."
    shown = view.asked.filters.shown()
    given = [f"{name} {text}" for name, text in shown.items() if text]
    return f"None of the {len(view.rows):,} transfers passes: {', '.join(given)}."


def options(rows: Rows) -> dict[str, list[list[str]]]:
    """Return what can be chosen, a list of value and label for each filter that has choices."""
    known = rows.known_accounts
    names = known.loc[~known["is_former"], "name"].dropna()
    moments = rows.frame["created_at"].dropna().dt.tz_localize(None)
    months = np.unique(moments.to_numpy().astype("datetime64[M]")).astype(str).tolist()
    words = {
        name: [[word, pretty(word)] for word in _present(rows.frame[name])]
        for name in ("direction", "state", "status")
    }
    return {
        "account": [[name, name] for name in sorted(set(names) - {""}, key=str.casefold)],
        "category": [[name, name] for name in _present(rows.frame["category"])],
        "month": [[month, month] for month in sorted(months, reverse=True)],
        **words,
    }


def _present(column: pd.Series[Any]) -> list[str]:
    return sorted(map(str, column.dropna().unique()), key=str.casefold)


def _texts(column: pd.Series[Any]) -> list[str]:
    found = column.astype("object")
    return [_cut(str(text)) for text in found.where(found.notna(), "")]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def _mark(signed: int, *, is_counted: bool) -> str:
    mark = "in" if signed > 0 else "out" if signed < 0 else "inside"
    return mark if is_counted else f"{mark} back"
