"""Charts: a table of :mod:`seqdata.analysis` goes in, matplotlib Axes come out.

Each function takes ``ax=None``, ``theme=None`` and ``note=None``; :func:`table_of` gives the
table that was drawn.
"""

from __future__ import annotations

from seqdata.plots.canvas import table_of
from seqdata.plots.compared import compare
from seqdata.plots.days import calendar
from seqdata.plots.flow import cash_flow
from seqdata.plots.histories import balances
from seqdata.plots.notes import note_of
from seqdata.plots.projected import upcoming
from seqdata.plots.small import pods
from seqdata.plots.spent import spending, spending_by_month
from seqdata.plots.streams import money_flow
from seqdata.plots.theme import account_colors
from seqdata.plots.timeline import recurring

__all__ = [
    "account_colors",
    "balances",
    "calendar",
    "cash_flow",
    "compare",
    "money_flow",
    "note_of",
    "pods",
    "recurring",
    "spending",
    "spending_by_month",
    "table_of",
    "upcoming",
]
