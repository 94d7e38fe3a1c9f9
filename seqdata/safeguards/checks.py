"""The checks of a transfer: pure functions that pass, or raise an error with the figures.

They run when a transfer is staged, and again with fresh balances when it is confirmed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seqdata.core.money import MAX_CENTS, parse_cents
from seqdata.exceptions import (
    AmountTooSmall,
    BalanceFell,
    BalanceUnknown,
    DailyLimitExceeded,
    InsufficientBalance,
    InvalidAmount,
    NoteNotAllowed,
    RenamedAccount,
    SameAccount,
    SourceNotAllowed,
    TransferLimitExceeded,
    UsageError,
)

if TYPE_CHECKING:
    from seqdata.safeguards.book import Day
    from seqdata.sources.base import Account

#: The least that a transfer can move, in cents. (service facts: the service's newer API)
LEAST_CENTS = 100

_ABSURD = 10**18

#: The longest note, in characters: what the addendum of an ACH payment holds.
LONGEST_NOTE = 80


def read_amount(amount: str | Decimal | None, amount_cents: int | None) -> int:
    """Read the amount of a transfer, which is given in one of two ways, as whole cents.

    Raises
    ------
    InvalidAmount
        A float, or text that is no exact number of cents.
    UsageError
        Both ways at once, or none.
    """
    if (amount is None) == (amount_cents is None):
        raise UsageError("Give an amount: as text or Decimal, or in whole cents (amount_cents=).")
    cents = _parsed(amount) if amount is not None else amount_cents
    if type(cents) is not int:
        raise InvalidAmount(cents)
    if abs(cents) > _ABSURD:
        raise UsageError("The amount is larger than any account could hold.")
    return cents


def _parsed(amount: str | Decimal) -> int:
    try:
        return parse_cents(amount)
    except InvalidAmount:
        raise
    except ValueError:  # thousands of digits, which Python does not read
        raise UsageError("The amount has more digits than any account could hold.") from None


def check_amount(amount_cents: int, limit_cents: int) -> None:
    """Refuse what is below the service's least, or above what one transfer may move."""
    if amount_cents < LEAST_CENTS:
        raise AmountTooSmall(amount_cents, LEAST_CENTS)
    if amount_cents > min(limit_cents, MAX_CENTS):
        raise TransferLimitExceeded(amount_cents, min(limit_cents, MAX_CENTS))


def check_note(note: str) -> None:
    """Refuse a note that is too long, or that holds what is no text of one line."""
    if not isinstance(note, str):
        raise UsageError("The note of a transfer is text.")
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise NoteNotAllowed(len(note), LONGEST_NOTE)


def check_parties(source: Account, destination: Account) -> None:
    """Refuse one account at both ends, and a source that may not be one."""
    if source.id == destination.id:
        raise SameAccount(str(source))
    if not source.can_be_source:
        raise SourceNotAllowed(str(source))


def check_balance(source: Account, amount_cents: int) -> None:
    """Refuse where the source holds less, or where it is not known what it holds."""
    if source.balance_cents is None:
        raise BalanceUnknown(str(source))
    if source.balance_cents < amount_cents:
        raise InsufficientBalance(str(source), amount_cents, source.balance_cents)


def check_not_fallen(source: Account, shown_cents: int, own_cents: int) -> None:
    """Refuse where the source holds less than was shown, `own_cents` of your own apart."""
    if source.balance_cents is None:
        raise BalanceUnknown(str(source))
    if source.balance_cents < shown_cents - own_cents:
        raise BalanceFell(str(source), shown_cents, own_cents, source.balance_cents)


def check_same_name(reviewed: Account, now: Account) -> None:
    """Refuse an account that is called otherwise than a person saw it, or is of another kind."""
    if (reviewed.kind, reviewed.name) != (now.kind, now.name):
        raise RenamedAccount(str(reviewed), str(now), now.id)


def check_day(day: Day, amount_cents: int, limit_cents: int) -> int:
    """Refuse what does not fit into today, over all users; return the cents left after it."""
    used = day.used_cents
    if amount_cents > limit_cents - used:
        raise DailyLimitExceeded(amount_cents, limit_cents, used, day.date)
    return limit_cents - used - amount_cents
