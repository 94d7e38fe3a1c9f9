"""The charts, by the same names, of a ledger's own tables."""

from __future__ import annotations

import inspect
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from seqdata import plots
from seqdata.analysis.filters import Words
from seqdata.analysis.periods import Freq
from seqdata.analysis.spend.spending import By
from seqdata.core.moments import Moment
from seqdata.core.usage import told_of
from seqdata.plots.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The charts by name, as the command line draws them.
CHARTS = (
    "balances", "pods", "cash_flow", "spending", "spending_by_month", "compare", "calendar",
    "money_flow", "recurring", "upcoming",
)  # fmt: skip


@told_of("plot")
class LedgerPlots:
    """Draws the tables of a ledger: ``ledger.plot.balances()`` and so on.

    Each method takes the words of the table that it draws, and ``ax``, ``theme`` ("light" or
    "dark", by default the ledger's) and ``note``; it returns the Axes, which a notebook shows.
    :func:`seqdata.plots.table_of` gives the table that was drawn. Accounts have the same colours
    in all charts, and so have categories.

    Examples
    --------
    >>> ledger.plot.balances(since="2026-05", account=["Bills", "Groceries"])
    >>> ledger.plot.compare("last month")
    """

    def __init__(self, ledger: Any, theme: Theme | None = None) -> None:
        self._ledger = ledger
        self._theme = theme

    def __repr__(self) -> str:
        rows = [f"  .{name:<20} {text}" for name, text in _sentences()]
        return "\n".join(["Charts of this ledger:", *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><code>ledger.plot.{name}</code></td>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in _sentences()
        )
        return f"<table>{rows}</table>"

    def balances(
        self,
        *,
        freq: Freq = "day",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        kind: Literal["lines", "stacked"] = "lines",
        most: int = 8,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw balances over time, of all pods and ports or of some accounts, with their goals.

        Observed points are marked, derived parts lighter. ``kind="stacked"`` draws what there is
        in all. Outside accounts are drawn where they are asked for: their balances are known
        from the first sync on only. See :func:`seqdata.plots.balances` for the other words.

        Examples
        --------
        >>> ledger.plot.balances(since="2026-05", kind="stacked")
        """
        history = self._history(freq, since, until, account)
        accounts, style = self._ledger.accounts, self._style(ax, theme, note)
        colors = plots.account_colors(accounts)
        return plots.balances(history, accounts, kind=kind, most=most, colors=colors, **style)

    def pods(
        self,
        *,
        freq: Freq = "day",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        days: int = 30,
        most: int = 15,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw each pod in a small chart of its own: what it held, its goal and what is expected.

        See :func:`seqdata.plots.pods`.

        Examples
        --------
        >>> ledger.plot.pods(since="2026-05", days=30)
        """
        history = self._history(freq, since, until, account)
        projected = self._ledger.projected_balances(days=days, account=account)
        accounts, style = self._ledger.accounts, self._style(ax, theme, note)
        colors = plots.account_colors(accounts)
        return plots.pods(history, projected, accounts, most=most, colors=colors, **style)

    def cash_flow(
        self,
        *,
        freq: Freq = "month",
        boundary: Literal["sequence", "own"] = "sequence",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw money in, money out and the net; see :func:`seqdata.plots.cash_flow`.

        Examples
        --------
        >>> ledger.plot.cash_flow(freq="quarter")
        """
        table = self._ledger.cash_flow(
            freq=freq,
            boundary=boundary,
            since=since,
            until=until,
            account=account,
            category=category,
        )
        return plots.cash_flow(table, **self._style(ax, theme, note))

    def spending(
        self,
        by: By | None = "category",
        *,
        freq: Freq | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
        most: int = 12,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw what was spent as ranked bars; by None and `freq`, as bars in time.

        See :func:`seqdata.plots.spending`.

        Examples
        --------
        >>> ledger.plot.spending("payee", since="2026-10")
        >>> ledger.plot.spending(None, freq="month")
        """
        table = self._ledger.spending(
            by,
            freq=freq or ("month" if by is None else None),
            since=since,
            until=until,
            account=account,
            category=category,
            include_moves=include_moves,
            by_day=by_day,
        )
        return plots.spending(table, most=most, **self._style(ax, theme, note))

    def spending_by_month(
        self,
        by: By | None = "category",
        *,
        freq: Freq = "month",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
        most: int = 8,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw what was spent month by month, stacked by category or by payee or pod.

        See :func:`seqdata.plots.spending_by_month`.

        Examples
        --------
        >>> ledger.plot.spending_by_month("pod", since="2026-05")
        """
        table = self._ledger.spending(
            by,
            freq=freq,
            since=since,
            until=until,
            account=account,
            category=category,
            include_moves=include_moves,
            by_day=by_day,
        )
        style = self._style(ax, theme, note)
        return plots.spending_by_month(table, most=most, colors=self.colors(by), **style)

    def compare(
        self,
        period: str = "this month",
        previous: str = "previous",
        by: By | None = "category",
        *,
        whole: bool = False,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
        most: int = 12,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw the spending of a period beside that of another one, the largest change first.

        See :func:`seqdata.plots.compare`.

        Examples
        --------
        >>> ledger.plot.compare("2026-10", "mean")
        """
        table = self._ledger.compare(
            period,
            previous,
            by,
            whole=whole,
            account=account,
            category=category,
            include_moves=include_moves,
            by_day=by_day,
        )
        return plots.compare(table, most=most, **self._style(ax, theme, note))

    def calendar(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw the days of each year, darker where more was spent.

        See :func:`seqdata.plots.calendar`.

        Examples
        --------
        >>> ledger.plot.calendar(category="Dining")
        """
        table = self._ledger.spending(
            None,
            freq="day",
            since=since,
            until=until,
            account=account,
            category=category,
            include_moves=include_moves,
            by_day=by_day,
        )
        return plots.calendar(table, **self._style(ax, theme, note))

    def money_flow(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        most: int = 10,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw how money flowed from income through ports and pods to what it was spent on.

        See :func:`seqdata.plots.money_flow`.

        Examples
        --------
        >>> ledger.plot.money_flow(since="2026-10")
        """
        table: pd.DataFrame = self._ledger.money_flow(since=since, until=until)
        colors, style = self.colors("account"), self._style(ax, theme, note)
        return plots.money_flow(table, most=most, colors=colors, **style)

    def recurring(
        self,
        *,
        account: Words | None = None,
        category: Words | None = None,
        most: int = 14,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw subscriptions, bills and paychecks as a timeline.

        See :func:`seqdata.plots.recurring`.

        Examples
        --------
        >>> ledger.plot.recurring(account="Bills")
        """
        table = self._ledger.recurring(account=account, category=category)
        return plots.recurring(table, most=most, **self._style(ax, theme, note))

    def upcoming(
        self,
        *,
        days: int = 30,
        account: Words | None = None,
        most: int = 6,
        ax: Axes | None = None,
        theme: Theme | None = None,
        note: str | None = None,
    ) -> Axes:
        """Draw the balances that are expected, each with its band; who runs short is named.

        See :func:`seqdata.plots.upcoming`.

        Examples
        --------
        >>> ledger.plot.upcoming(days=14)
        """
        projected = self._ledger.projected_balances(days=days, account=account)
        colors, style = self.colors("account"), self._style(ax, theme, note)
        return plots.upcoming(projected, most=most, colors=colors, **style)

    # -- inside -------------------------------------------------------------------------------

    def _style(self, ax: Axes | None, theme: Theme | None, note: str | None) -> dict[str, Any]:
        """Return how a chart is drawn; axes of the caller's keep the ground of their figure."""
        own = self._theme if ax is None else None
        return {"ax": ax, "theme": own if theme is None else theme, "note": note}

    def _history(
        self, freq: Freq, since: Moment | None, until: Moment | None, account: Words | None
    ) -> pd.DataFrame:
        history: pd.DataFrame = self._ledger.balance_history(
            freq=freq, since=since, until=until, account=account
        )
        return history

    def colors(self, by: By | None) -> dict[str, int]:
        """Return the same place in the palette for a name in each chart of this ledger.

        Names that are no account's have theirs by when they were first seen.
        """
        if by in ("account", "pod"):
            return plots.account_colors(self._ledger.accounts)
        table: pd.DataFrame = self._ledger.spending(by, freq="day")
        if not isinstance(by, str) or by not in table:
            return {}
        seen = table.dropna(subset=[by]).groupby(by, observed=True)["period"].min()
        names = seen.rename_axis("name").reset_index().sort_values(["period", "name"])["name"]
        return {str(name): place for place, name in enumerate(names)}


def _sentences() -> list[tuple[str, str]]:
    """Return each chart as it is called, and the first sentence of what it draws."""
    docs = {name: inspect.getdoc(getattr(LedgerPlots, name)) or "" for name in CHARTS}
    return [
        (f"{name}()", text.splitlines()[0].split(";")[0].rstrip(".") + ".")
        for name, text in docs.items()
    ]
