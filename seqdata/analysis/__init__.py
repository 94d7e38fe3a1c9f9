"""Pure functions: a DataFrame in, a DataFrame out, exact in cents."""

from __future__ import annotations

from seqdata.analysis.filters import filter_balances, filter_transfers

__all__ = ["filter_balances", "filter_transfers"]
