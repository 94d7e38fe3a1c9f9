"""The charts, by the same names, of a ledger's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from seqdata import plots
from seqdata.analysis.filters import Words
from seqdata.analysis.spend.spending import By
from seqdata.core.moments import Moment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The charts by name, as the command line draws them.
CHARTS = (
    "balances", "cash_flow", "spending", "spending_by_month", "calendar", "money_flow",
    "recurring", "upcoming",
)  # fmt: skip


class LedgerPlots:
    """Draws the tables of a ledger: ``ledger.plot.balances()`` and so on.

    Each method takes the words of the table that it draws, and ``ax``, ``theme`` ("light" or
    "dark") and ``note``; it returns the Axes, which a notebook shows.
    :func:`seqdata.plots.table_of` gives the table that was drawn. Accounts have the same colours
    in all charts.
    """

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def balances(
        self,
        *,
        freq: str = "day",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        **style: Any,
    ) -> Axes:
        """Draw balances over time, of all pods and ports or of some accounts, with their goals.

        Observed points are marked, derived parts lighter. ``kind="stacked"`` draws what there is
        in all. Outside accounts are drawn where they are asked for: their balances are known
        from the first sync on only. See :func:`seqdata.plots.balances` for the other words.
        """
        history = self._ledger.balance_history(freq=freq, since=since, until=until, account=account)
        if account is None:
            facts = history.attrs
            history = history[history["kind"] != "account"].reset_index(drop=True)
            history.attrs.update(facts)
        accounts = self._ledger.accounts
        return plots.balances(history, accounts, colors=plots.account_colors(accounts), **style)

    def cash_flow(
        self,
        *,
        freq: str = "month",
        boundary: str = "sequence",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        **style: Any,
    ) -> Axes:
        """Draw money in, money out and the net; see :func:`seqdata.plots.cash_flow`."""
        table = self._ledger.cash_flow(
            freq=freq,
            boundary=boundary,
            since=since,
            until=until,
            account=account,
            category=category,
        )
        return plots.cash_flow(table, **style)

    def spending(self, by: By = "category", **words: Any) -> Axes:
        """Draw what was spent as ranked bars; see :func:`seqdata.plots.spending`."""
        filters, style = _parted(words)
        return plots.spending(self._ledger.spending(by, **filters), **style)

    def spending_by_month(
        self, by: By | None = "category", *, freq: str = "month", **words: Any
    ) -> Axes:
        """Draw what was spent month by month, stacked by category or by payee or pod."""
        filters, style = _parted(words)
        return plots.spending_by_month(self._ledger.spending(by, freq=freq, **filters), **style)

    def calendar(self, **words: Any) -> Axes:
        """Draw the days of each year, darker where more was spent."""
        filters, style = _parted(words)
        return plots.calendar(self._ledger.spending(None, freq="day", **filters), **style)

    def money_flow(
        self, *, since: Moment | None = None, until: Moment | None = None, **style: Any
    ) -> Axes:
        """Draw how money flowed from income through ports and pods to what it was spent on."""
        table: pd.DataFrame = self._ledger.money_flow(since=since, until=until)
        colors = plots.account_colors(self._ledger.accounts)
        return plots.money_flow(table, colors=colors, **style)

    def recurring(
        self, *, account: Words | None = None, category: Words | None = None, **style: Any
    ) -> Axes:
        """Draw subscriptions, bills and paychecks as a timeline."""
        return plots.recurring(self._ledger.recurring(account=account, category=category), **style)

    def upcoming(self, *, days: int = 30, account: Words | None = None, **style: Any) -> Axes:
        """Draw the balances that are expected, each with its band; who runs short is named."""
        projected = self._ledger.projected_balances(days=days, account=account)
        colors = plots.account_colors(self._ledger.accounts)
        return plots.upcoming(projected, colors=colors, **style)


_FILTERS = ("since", "until", "account", "category", "include_moves", "by_day")


def _parted(words: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what the table is asked by from how it is drawn."""
    filters = {name: value for name, value in words.items() if name in _FILTERS}
    return filters, {name: value for name, value in words.items() if name not in _FILTERS}
