"""Pydantic models of what the client's methods return.

Each validates the answer of its method; keys that are not named here are kept out of the
model without an error.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator


class _Account(BaseModel):
    id: str
    name: str
    organization_id: str
    balance_cents: int
    balance: str


class Pod(_Account):
    """An internal account, as :meth:`SequenceClient.get_pods` returns it."""


class Port(_Account):
    """An income source, as :meth:`SequenceClient.get_all_accounts` returns it."""


class ExternalAccount(_Account):
    """A connected account outside Sequence (bank, card, loan)."""


class TotalBalance(BaseModel):
    """The answer of :meth:`SequenceClient.get_total_balance`."""

    total_balance_cents: int
    total_balance: str
    pod_count: int


class TransferParty(BaseModel):
    """One end of a transfer. Some counterparties have a name and no id."""

    name: str


class Transfer(BaseModel):
    """One movement of money. The amount is positive; `direction` carries the sign."""

    id: str
    status: str | None
    amount: str
    amount_cents: int
    source: TransferParty | None = None
    destination: TransferParty | None = None
    direction: str | None
    activity_type: str | None
    created_at: str | None = None


class PageInfo(BaseModel):
    """Where the next page begins; a null cursor reads as ""."""

    end_cursor: Annotated[str, BeforeValidator(lambda cursor: cursor or "")]
    has_next_page: bool


class ActivityPage(BaseModel):
    """The answer of :meth:`SequenceClient.get_activity`."""

    transfers: list[Transfer]
    page_info: PageInfo


class ActivitySummary(BaseModel):
    """The answer of :meth:`SequenceClient.get_activity_summary`: the current month."""

    transfer_count: int
    rule_executions: int
    total_incoming_cents: int
    total_incoming: str


class AllAccounts(BaseModel):
    """The answer of :meth:`SequenceClient.get_all_accounts`."""

    pods: list[Pod]
    ports: list[Port]
    accounts: list[ExternalAccount]
