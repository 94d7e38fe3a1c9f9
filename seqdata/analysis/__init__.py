"""Pure functions: a DataFrame in, a DataFrame out, exact in cents."""

from __future__ import annotations

from seqdata.analysis.balance.balances import balance_history
from seqdata.analysis.balance.cash_flow import cash_flow
from seqdata.analysis.balance.reconcile import reconcile
from seqdata.analysis.changes import changes
from seqdata.analysis.filters import (
    between,
    filter_balances,
    filter_categories,
    filter_transfers,
    find_account,
)
from seqdata.analysis.recur.backtest import backtest
from seqdata.analysis.recur.projection import projected_balances, running_short
from seqdata.analysis.recur.recurring import recurring
from seqdata.analysis.recur.upcoming import upcoming
from seqdata.analysis.rules import rules
from seqdata.analysis.settlement import settle
from seqdata.analysis.spend.categories import categorize
from seqdata.analysis.spend.comparison import compare
from seqdata.analysis.spend.money_flow import money_flow
from seqdata.analysis.spend.payees import normalize_payees
from seqdata.analysis.spend.rulesfile import read_rules
from seqdata.analysis.spend.spending import spending, uncategorized

__all__ = [
    "backtest",
    "balance_history",
    "between",
    "cash_flow",
    "categorize",
    "changes",
    "compare",
    "filter_balances",
    "filter_categories",
    "filter_transfers",
    "find_account",
    "money_flow",
    "normalize_payees",
    "projected_balances",
    "read_rules",
    "reconcile",
    "recurring",
    "rules",
    "running_short",
    "settle",
    "spending",
    "uncategorized",
    "upcoming",
]
