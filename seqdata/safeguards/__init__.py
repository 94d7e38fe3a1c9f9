"""What stands between a program and a movement of money.

The transfer desk, the audit log and the daily limits; each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.safeguards.audit import AuditLog
    from seqdata.safeguards.desk import TransferDesk
    from seqdata.safeguards.limits import DailyLimitTracker
    from seqdata.safeguards.lives import OpenIntent
    from seqdata.safeguards.outcomes import Completed, Failed, Returned, Settlement, Unknown
    from seqdata.safeguards.staged import StagedTransfer

_HOMES = {
    "AuditLog": "audit",
    "Completed": "outcomes",
    "DailyLimitTracker": "limits",
    "Failed": "outcomes",
    "OpenIntent": "lives",
    "Returned": "outcomes",
    "Settlement": "outcomes",
    "StagedTransfer": "staged",
    "TransferDesk": "desk",
    "Unknown": "outcomes",
}

__all__ = [
    "AuditLog",
    "Completed",
    "DailyLimitTracker",
    "Failed",
    "OpenIntent",
    "Returned",
    "Settlement",
    "StagedTransfer",
    "TransferDesk",
    "Unknown",
]

__getattr__ = lazy_names(__name__, _HOMES)
