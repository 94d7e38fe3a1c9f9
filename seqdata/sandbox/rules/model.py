"""A rule: what sets it off, under which conditions it does what.

Money is in whole cents, instants are microseconds since the epoch, accounts are named by id. The
words are those of the service's REST API, so that a rule is written there as it stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

ENABLED, DISABLED = "ENABLED", "DISABLED"

SCHEDULES = ("ONE_TIME", "DAILY", "WEEKLY", "BI_WEEKLY", "MONTHLY", "EVERY_OTHER_WEEK")
FACTS = ("TRANSFER_AMOUNT", "BALANCE", "DATE")
VALUE_FACTS = (*FACTS, "LAST_DAY_OF_MONTH", "NEXT_PAYMENT_MINIMUM_AMOUNT", "LAST_STATEMENT_BALANCE")
OPERATORS = (
    "EQUALS",
    "NOT_EQUALS",
    "GREATER_THAN",
    "LESS_THAN",
    "GREATER_THAN_OR_EQUAL",
    "LESS_THAN_OR_EQUAL",
)
PERIODS = ("PER_TRANSFER", "PER_WEEK", "PER_MONTH", "PER_YEAR")

#: Each kind of action with the fields that it has besides those of all.
ACTIONS: dict[str, tuple[str, ...]] = {
    "FIXED": ("amount_cents",),
    "PERCENTAGE": ("percent", "target"),
    "TOP_UP": (),
    "ROUND_DOWN": ("amount_cents",),
    "NEXT_PAYMENT_MINIMUM": (),
    "TOTAL_AMOUNT_DUE": (),
    "LAST_STATEMENT_BALANCE": (),
    "PERCENTAGE_LIABILITY_BALANCE": ("percent",),
}
#: The targets of a TOP_UP, of which it has exactly one.
TOP_UP_TARGETS = (
    "amount_cents",
    "next_payment_minimum_account",
    "current_balance_account",
    "last_statement_balance_account",
)
PERCENTAGE_TARGETS = ("INCOMING_AMOUNT", "SOURCE_ACCOUNT")


def _one_of(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, not {given!r}")


@dataclass(frozen=True, slots=True)
class OnFundsTransferred:
    """Money has come to an account."""

    account_id: str
    type: ClassVar[str] = "ON_FUNDS_TRANSFERRED"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """It is time: at the hour of `start_at`, on days of UTC."""

    schedule_type: str
    start_at: int
    account_id: str | None = None
    type: ClassVar[str] = "SCHEDULED"

    def __post_init__(self) -> None:
        _one_of("a schedule", self.schedule_type, SCHEDULES)


@dataclass(frozen=True, slots=True)
class Manual:
    """Somebody asks for it."""

    account_id: str
    type: ClassVar[str] = "MANUAL"


#: Its account is the source of actions and the account of BALANCE where they name none.
Trigger = OnFundsTransferred | Scheduled | Manual


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: a fact with a number, or with another fact.

    DATE is the day of the month, TRANSFER_AMOUNT and BALANCE are cents. `account_id` is the
    account of BALANCE; None: that of the trigger.
    """

    fact: str
    operator: str
    value: float | None = None
    value_fact: str | None = None
    account_id: str | None = None

    def __post_init__(self) -> None:
        _one_of("a fact", self.fact, FACTS)
        _one_of("an operator", self.operator, OPERATORS)
        if (self.value is None) == (self.value_fact is None):
            raise ValueError("a condition compares with a value or with a fact, not with both")
        if self.value_fact is not None:
            _one_of("a fact to compare with", self.value_fact, VALUE_FACTS)


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these holds."""

    of: tuple[Conditions, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    of: tuple[Conditions, ...]


Conditions = Condition | All | AnyOf


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may move: in one transfer, or in one week, month or year."""

    period: str
    amount_cents: int

    def __post_init__(self) -> None:
        _one_of("a period", self.period, PERIODS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One movement that a rule asks for. `ACTIONS` says which kind has which fields.

    Actions of one `group_index` are decided together and share their limit. With
    `up_to_enabled` an action sends what there is where the source is short of money.
    """

    type: str
    source: str
    destination: str
    group_index: int = 0
    up_to_enabled: bool = False
    limit: Limit | None = None
    is_direct_deposit: bool = False
    ach_description: str | None = None
    #: FIXED: what moves. ROUND_DOWN: the step. TOP_UP: the balance to reach.
    amount_cents: int | None = None
    #: 0 to 100.
    percent: float | None = None
    #: Of a PERCENTAGE: INCOMING_AMOUNT or SOURCE_ACCOUNT.
    target: str | None = None
    next_payment_minimum_account: str | None = None
    current_balance_account: str | None = None
    last_statement_balance_account: str | None = None

    def __post_init__(self) -> None:
        _one_of("an action", self.type, tuple(ACTIONS))
        missing = [name for name in ACTIONS[self.type] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.type} needs {', '.join(missing)}")
        if self.percent is not None and not 0 <= self.percent <= 100:
            raise ValueError(f"percent is between 0 and 100, not {self.percent}")
        if self.target is not None:
            _one_of("the target of a percentage", self.target, PERCENTAGE_TARGETS)
        targets = [name for name in TOP_UP_TARGETS if getattr(self, name) is not None]
        if self.type == "TOP_UP" and len(targets) != 1:
            raise ValueError(f"TOP_UP has exactly one of {', '.join(TOP_UP_TARGETS)}")


@dataclass(frozen=True, slots=True)
class Step:
    """Actions, and the conditions under which they run; None: always."""

    actions: tuple[Action, ...]
    conditions: Conditions | None = None

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError("a step has at least one action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as its owner has written it. The first step runs whose conditions hold.

    What the API cannot express is not `is_supported`: it is listed there and cannot be read.
    """

    id: str
    name: str | None
    trigger: Trigger
    steps: tuple[Step, ...]
    created_at: int
    updated_at: int
    description: str | None = None
    status: str = ENABLED
    is_supported: bool = True
    deleted_at: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it is enabled and there."""
        return self.status == ENABLED and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was in a stretch of time; its first version has the number 1."""

    rule: Rule
    number: int
    valid_from: int
    #: When the next version came; None: it is in force.
    valid_until: int | None = None
