"""The service's words: transfer status, direction, activity type, kind of account.

The service adds values without notice. Nothing in this package refuses one that is not
listed here: it passes through as a plain string and is reported once.
"""

from __future__ import annotations

from enum import StrEnum


class TransferStatus(StrEnum):
    """Where a transfer stands. Seen: PENDING, COMPLETE; the others stand in client code."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    INCOMPLETE = "INCOMPLETE"
    ERROR = "ERROR"


class Direction(StrEnum):
    """Which way the money goes, seen from Sequence."""

    INTERNAL = "INTERNAL"
    INCOMING = "INCOMING"
    OUTGOING = "OUTGOING"


class ActivityType(StrEnum):
    """What made the transfer. Seen, but for DIRECT_DEPOSIT and ACH, which client code names."""

    ONE_TIME_TRANSFER = "ONE_TIME_TRANSFER"
    RULE = "RULE"
    DIRECT_DEPOSIT = "DIRECT_DEPOSIT"
    ACH = "ACH"
    PULLED_FROM_SEQUENCE = "PULLED_FROM_SEQUENCE"
    MONEY_IN = "MONEY_IN"
    CASHBACK = "CASHBACK"


class AccountType(StrEnum):
    """The kinds of account a payment can name."""

    POD = "POD"
    PORT = "PORT"
    ACCOUNT = "ACCOUNT"
