"""What stands where a widget was."""

from __future__ import annotations

CLOSED = "Closed. Run the cell again."
CLOSED_WITH_LEDGER = "Closed with its ledger. Run the cells again."
