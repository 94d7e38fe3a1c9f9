"""The one object a notebook holds."""

from __future__ import annotations

from seqdata.ledger.ledger import Ledger, demo_settings
from seqdata.ledger.tables import ALL

__all__ = ["ALL", "Ledger", "demo_settings"]
