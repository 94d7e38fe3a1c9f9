"""A staged transfer: what will happen, as a person reviews it before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seqdata.core.shown import table_of_words
from seqdata.core.text import format_cents, printable
from seqdata.sources.base import Account


@dataclass(frozen=True, repr=False)
class StagedTransfer:
    """What a desk will do when it is confirmed. Amounts are in cents, moments in UTC.

    `daily_left_cents` is what is left of today's limit, over all users, after this transfer.
    A desk takes it once, unchanged, from the user that staged it, before `expires_at`.
    """

    id: str
    user: str
    source: Account
    destination: Account
    amount_cents: int
    note: str
    instant: bool
    staged_at: datetime
    expires_at: datetime
    transfer_limit_cents: int
    daily_limit_cents: int
    daily_left_cents: int
    organization_id: str
    app_url: str
    is_sandbox: bool
    despite_unknown: bool = False
    expected: str = field(default="", compare=False)

    def facts(self) -> dict[str, Any]:
        """Return what the audit log keeps of it, and what a confirm compares: JSON values."""
        return {
            "intent_id": self.id,
            "user_id": self.user,
            "amount_cents": self.amount_cents,
            "source": self.source.name,
            "destination": self.destination.name,
            "source_id": self.source.id,
            "destination_id": self.destination.id,
            "source_kind": self.source.kind,
            "destination_kind": self.destination.kind,
            "note": self.note,
            "instant": self.instant,
            "shown_cents": self.source.balance_cents,
            "staged_at": self.staged_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "organization_id": self.organization_id,
            "app_url": self.app_url,
            "despite_unknown": self.despite_unknown,
        }

    def review(self) -> dict[str, str]:
        """Say in words what will happen: for a terminal, a notebook or a panel."""
        cents = self.amount_cents
        lines = {
            "amount": format_cents(cents),
            "from": _change(self.source, -cents),
            "to": _change(self.destination, cents),
            "note": self.note or "none",
            "arrives": self.expected,
            "limits": (
                f"{format_cents(self.transfer_limit_cents)} a transfer; "
                f"{format_cents(self.daily_left_cents)} of {format_cents(self.daily_limit_cents)} "
                "left today after this"
            ),
            "as": f"{self.user}, until {self.expires_at:%H:%M:%S} UTC",
            "where": f"{self.app_url} ({'a sandbox' if self.is_sandbox else 'a real account'})",
        }
        if self.despite_unknown:
            lines["despite"] = "an earlier transfer between these accounts whose outcome is unknown"
        return {name: printable(text) for name, text in lines.items()}

    def __repr__(self) -> str:
        lines = [f"  {name:<8} {text}" for name, text in self.review().items()]
        return "\n".join([f"Staged transfer {self.id}: nothing is sent yet", *lines])

    def _repr_html_(self) -> str:
        return table_of_words("Staged transfer: nothing is sent yet", self.review())


def expected_settlement(source: Account, destination: Account, *, instant: bool) -> str:
    """Say when money arrives, as the service facts have it."""
    if not source.is_outside and not destination.is_outside:
        return "at once"
    if instant:
        return "within minutes, where the service allows an instant transfer"
    if source.is_outside and destination.is_outside:
        return "in two steps: 2 to 3 business days to pull, then 1 to 3 to push"
    if source.is_outside:
        return "in 2 to 3 business days"
    return "the same day before 15:00 Eastern, else in 1 to 3 business days (a liability: 2 to 7)"


def _change(account: Account, cents: int) -> str:
    after, named = account.after(cents), f"{account} ({account.mark})"
    if after is None:
        return f"{named}, balance unknown"
    return f"{named}, {account.balance} now, {format_cents(after)} after"
