"""The one object a notebook holds."""

from __future__ import annotations

from seqdata.ledger.ledger import ALL, Ledger, demo_settings

__all__ = ["ALL", "Ledger", "demo_settings"]
