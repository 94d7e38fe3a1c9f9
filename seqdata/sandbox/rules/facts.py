"""What a rule may ask of the books, and the occasion on which it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from seqdata.sandbox.rules.model import Limit

#: Which limit: the rule, its step, the group of the action.
LimitKey = tuple[str, int, int]


class Facts(Protocol):
    """The books of one moment, in cents. None: the service knows no such number."""

    def available(self, account_id: str) -> int | None:
        """Give what can be spent, or what is owed where the account is a debt."""

    def on_the_way(self, account_id: str) -> int:
        """Give what comes to an account and has not arrived."""

    def owed(self, account_id: str) -> int | None:
        """Give the debt of an account, or of the one that a pod is linked with."""

    def minimum(self, account_id: str) -> int | None:
        """Give the least payment that is due next on such a debt."""

    def last_statement(self, account_id: str) -> int | None:
        """Give what the last statement of such a debt says."""

    def is_there(self, account_id: str) -> bool:
        """Whether an account exists and is not deleted."""

    def used(self, key: LimitKey, since: int) -> int:
        """Give what has been moved under a limit since an instant."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why and when a rule runs. `amount_cents` is what came in, or what was asked for."""

    at: int
    #: The trigger's account.
    account_id: str | None
    amount_cents: int | None = None
    #: Whether the amount has come to the account just now.
    has_arrived: bool = False


def local_day(at: int, zone: str) -> date:
    """Give the day of an instant in a zone."""
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at))
        .astimezone(ZoneInfo(zone))
        .date()
    )


def period_start(limit: Limit, at: int, zone: str) -> int:
    """Give when the week (from Monday), month or year of an instant began."""
    day = local_day(at, zone)
    if limit.period == "PER_WEEK":
        day -= timedelta(days=day.weekday())
    elif limit.period == "PER_MONTH":
        day = day.replace(day=1)
    else:
        day = day.replace(month=1, day=1)
    began = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return (began - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
