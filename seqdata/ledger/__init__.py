"""The one object a notebook holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.ledger.ledger import Ledger, demo_settings
    from seqdata.ledger.standing import ALL

__all__ = ["ALL", "Ledger", "demo_settings"]

_HOMES = {"ALL": "standing", "Ledger": "ledger", "demo_settings": "ledger"}

__getattr__ = lazy_names(__name__, _HOMES)
