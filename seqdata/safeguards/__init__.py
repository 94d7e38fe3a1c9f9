"""What stands between a program and a movement of money: the audit log and the daily limits."""

from seqdata.safeguards.audit import AuditLog
from seqdata.safeguards.limits import DailyLimitTracker

__all__ = ["AuditLog", "DailyLimitTracker"]
