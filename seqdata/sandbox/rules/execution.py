"""One run of a rule, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

LIVE, SIMULATION = "LIVE", "SIMULATION"
FAILURES = frozenset({"FAILED", "CANCELLED", "INCOMPLETE", "ERROR"})


class Moved(Protocol):
    """What an execution asks of a transfer."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class TriggerDetails:
    """What set a run off: a kind, and the amount or the planned time where it has one.

    `type` is ON_FUNDS_TRANSFERRED, SCHEDULED, MANUAL (by hand in the application), SEQUENCE_API
    or REMOTE_API.
    """

    type: str
    amount_cents: int | None = None
    scheduled_at: int | None = None


@dataclass(slots=True, eq=False)
class Execution:
    """A run of one version of a rule. Its counts and its status follow its transfers."""

    id: str
    rule_id: str
    version: int
    mode: str
    trigger: TriggerDetails
    created_at: int
    #: Counted from 0; None while no step has matched.
    step: int | None = None
    conditions_not_met: bool = False
    #: Actions that were tried, also those of which nothing moved.
    attempted: int = 0
    #: In order of creation, failed ones included. Those of a simulation are in no book.
    transfers: list[Moved] = field(default_factory=list, repr=False)
    error_code: str | None = None
    error_message: str | None = None
    next_attempt_at: int | None = None
    is_over: bool = False

    @property
    def transfer_ids(self) -> list[str]:
        """The transfers that it made or tried to make."""
        return [transfer.id for transfer in self.transfers]

    @property
    def completed(self) -> int:
        """How many of its transfers are complete."""
        return sum(transfer.status == "COMPLETE" for transfer in self.transfers)

    @property
    def failed(self) -> int:
        """How many of its transfers have failed, or were cancelled."""
        return sum(transfer.status in FAILURES for transfer in self.transfers)

    @property
    def pending(self) -> int:
        """How many of its transfers are neither."""
        return len(self.transfers) - self.completed - self.failed

    @property
    def status(self) -> str:
        """IN_PROGRESS, EXECUTED, PARTIAL or FAILED."""
        if not self.is_over or self.pending:
            return "IN_PROGRESS"
        if self.failed or self.error_code is not None:
            return "PARTIAL" if self.completed else "FAILED"
        return "EXECUTED"
