"""The service's words: transfer status, direction, activity type, kind of account.

The service adds values without notice. Nothing in this package refuses one that is not
listed here: it passes through as a plain string and is reported once.
"""

from __future__ import annotations

from collections.abc import Mapping
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


#: Statuses after which a transfer does not move any more. An unknown status is not final.
FINAL_STATUSES = frozenset({"COMPLETE", "FAILED", "CANCELLED", "INCOMPLETE", "ERROR"})


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


def is_final(status: str | None) -> bool:
    """Tell whether a transfer of this status has come to its end."""
    return status in FINAL_STATUSES


#: What the statuses mean for money: still on its way, there, not there. An unknown one is none
#: of these.
_STATES = {
    "open": {"PENDING", "PROCESSING", "PENDING_APPROVAL"},
    "settled": {"COMPLETE"},
    "failed": {"FAILED", "CANCELLED", "INCOMPLETE", "ERROR"},
}


def is_reversal(leg: Mapping[str, object]) -> bool:
    """Tell whether a payment leg gives the money back: one that failed or is new does not."""
    status = leg["status"]
    return leg["leg"] == "reversal" and status in _STATES["open"] | _STATES["settled"]


def state_of(status: str | None) -> str:
    """Return what a status means: "open", "settled", "failed", or "unknown" for a new word."""
    return next((state for state, words in _STATES.items() if status in words), "unknown")
