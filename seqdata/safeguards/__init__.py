"""What stands between a program and a movement of money.

The transfer desk, the audit log and the daily limits; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdata.safeguards.audit import AuditLog
    from seqdata.safeguards.desk import TransferDesk
    from seqdata.safeguards.journal import OpenIntent
    from seqdata.safeguards.limits import DailyLimitTracker
    from seqdata.safeguards.outcomes import Completed, Failed, Unknown
    from seqdata.safeguards.settle import Settlement
    from seqdata.safeguards.staged import StagedTransfer

_HOMES = {
    "AuditLog": "audit",
    "Completed": "outcomes",
    "DailyLimitTracker": "limits",
    "Failed": "outcomes",
    "OpenIntent": "journal",
    "Settlement": "settle",
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
    "Settlement",
    "StagedTransfer",
    "TransferDesk",
    "Unknown",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
