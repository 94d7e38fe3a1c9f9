"""Pure functions: a DataFrame in, a DataFrame out, exact in cents."""

from __future__ import annotations

from seqdata.analysis.balances import balance_history
from seqdata.analysis.cash_flow import cash_flow
from seqdata.analysis.filters import filter_balances, filter_transfers
from seqdata.analysis.reconcile import reconcile
from seqdata.analysis.settlement import settle

__all__ = [
    "balance_history",
    "cash_flow",
    "filter_balances",
    "filter_transfers",
    "reconcile",
    "settle",
]
