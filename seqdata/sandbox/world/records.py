"""What a world consists of: parties, holdings, outside accounts, transfers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

Node = dict[str, Any]
#: Orders transfers: the instant of creation, then the id.
Key = tuple[int, str]

FINAL = frozenset({"COMPLETE", "FAILED", "CANCELLED", "INCOMPLETE", "ERROR"})


@dataclass(slots=True, eq=False)
class Party:
    """One end of a transfer. `node` holds what the API says about it; only its name can change."""

    kind: str
    name: str
    id: str | None = None
    node: Node = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.node = {"__typename": self.kind, "id": self.id, "name": self.name, **self.node}
        self.node["_"] = self


@dataclass(slots=True, eq=False)
class Holding(Party):
    """A pod or a port: money held by Sequence, whose every movement is a transfer."""

    opening: int = 0
    balance: int = 0
    linked: Outside | None = None
    is_unreadable_liability: bool = False
    deleted_at: int | None = None
    #: The balance after each movement.
    steps: list[tuple[int, int]] = field(default_factory=list, repr=False)
    #: The visible transfers it takes part in, oldest first; of them, those that are settled and by
    #: card, and all that are not by card.
    keys: list[Key] = field(default_factory=list, repr=False)
    card_keys: list[Key] = field(default_factory=list, repr=False)
    plain_keys: list[Key] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What happens in an outside account without Sequence; money in is above zero."""

    at: int
    cents: int
    description: str


@dataclass(frozen=True, slots=True)
class Statement:
    """The latest statement of a debt: what was owed that day, and what is due of it by when."""

    on: date
    balance_cents: int
    minimum_cents: int
    due_on: date


@dataclass(slots=True, eq=False)
class Outside(Party):
    """A connected account. The API shows its balance as of the last refresh, not its own."""

    provider: str = "PLAID"
    can_be_source: bool = True
    is_liability: bool = False
    balance: int = 0
    shown: int | None = None
    refreshed_at: int = 0
    #: What the API showed after each refresh.
    steps: list[tuple[int, int]] = field(default_factory=list, repr=False)
    opening: int = 0
    #: Of a debt, since its first statement.
    statement: Statement | None = None
    #: The visible transfers it takes part in, oldest first.
    plain_keys: list[Key] = field(default_factory=list, repr=False)
    #: What else happens in it, oldest first.
    seen: list[Seen] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Payment:
    """One leg of a transfer."""

    status: str
    created_at: int
    completed_at: int | None
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class RuleRun:
    """The run of a rule that a transfer was made by, and what set it off."""

    trigger_type: str
    trigger_cron: str | None
    rule_id: str
    execution_id: str


@dataclass(slots=True, eq=False)
class Transfer:
    """One movement of money, as the API shows it now."""

    id: str
    created_at: int
    updated_at: int
    cents: int
    source: Party | None
    destination: Party | None
    direction: str
    activity_type: str
    status: str = "PENDING"
    error_reason: str | None = None
    description: str | None = None
    type: str = "TRANSFER"
    rule: RuleRun | None = None
    #: LIVE, or SIMULATION: in no book, and nothing has moved.
    mode: str = "LIVE"
    #: Why it failed, in the words of the REST API, where the sandbox knows.
    error_code: str | None = None
    #: The only leg of a simple transfer.
    payment: Payment | None = None
    pull: Payment | None = None
    push: Payment | None = None
    reversal: Payment | None = None
    is_compound: bool = False
    #: Accepted, and not begun.
    is_queued: bool = False
    #: (account id, instant, cents): when balances really moved.
    postings: list[tuple[str, int, int]] = field(default_factory=list, repr=False)

    @property
    def key(self) -> Key:
        """Where the transfer stands in the activity."""
        return (self.created_at, self.id)

    @property
    def rule_id(self) -> str | None:
        """The rule that made it."""
        return None if self.rule is None else self.rule.rule_id

    @property
    def execution_id(self) -> str | None:
        """The run of a rule that made it."""
        return None if self.rule is None else self.rule.execution_id

    @property
    def is_by_card(self) -> bool:
        """Whether it is a purchase by card, or a refund of one."""
        parties = (self.source, self.destination)
        return any(party is not None and party.kind == "Merchant" for party in parties)

    @property
    def is_final(self) -> bool:
        """Whether the status can no longer change."""
        return self.status in FINAL
