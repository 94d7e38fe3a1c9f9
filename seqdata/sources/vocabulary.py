"""Our words for what a service says: how a transfer stands, what made it, who takes part.

A source translates its own words into these at the border (:mod:`seqdata.sources.webapp.words`)
and keeps the raw word beside them. No room behind the border compares a raw word,
but for :data:`WAITING`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """How a transfer, or a payment leg, stands."""

    OPEN = "open"
    SETTLED = "settled"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


#: States after which nothing changes any more. What is unknown may be open.
FINAL = frozenset({State.SETTLED, State.FAILED, State.CANCELLED})

#: Raw words of what is open and waits for a person to agree: nothing has left a balance yet.
WAITING = frozenset({"PENDING_APPROVAL"})

#: Final states in which the money is where it came from.
RETURNED = frozenset({State.FAILED, State.CANCELLED})


class Kind(StrEnum):
    """What made a transfer. No sum depends on it."""

    DEPOSIT = "deposit"
    RULE = "rule"
    BY_HAND = "by_hand"
    CARD = "card"
    CASHBACK = "cashback"
    PULLED = "pulled"
    OTHER = "other"
    UNKNOWN = "unknown"


class Party(StrEnum):
    """Who is at an end of a transfer."""

    POD = "pod"
    PORT = "port"
    ACCOUNT = "account"
    MERCHANT = "merchant"
    ENTITY = "entity"


#: Parties whose money Sequence holds.
INSIDE = (Party.POD, Party.PORT)

#: Parties that are accounts of the user.
OWN = (*INSIDE, Party.ACCOUNT)


def is_reversal(leg: Mapping[str, object]) -> bool:
    """Tell whether a payment leg gives the money back: one that failed or is new does not."""
    return leg["leg"] == "reversal" and leg.get("state") in (State.OPEN, State.SETTLED)


#: Parts of an account type (CREDIT_CARD, STUDENT_LOAN ...) that say that it is owed.
_LIABILITIES = ("CREDIT_CARD", "LOAN", "MORTGAGE", "LINE_OF_CREDIT", "LIABILITY")


def is_debt(account_type: object) -> bool:
    """Tell by its type whether an account is a debt: its balance is what is owed."""
    return any(part in str(account_type) for part in _LIABILITIES)
