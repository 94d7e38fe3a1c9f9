"""What may be moved: the figures that a desk says and a panel shows."""

from __future__ import annotations

from dataclasses import dataclass

from seqdata.core.shown import Shown
from seqdata.core.text import format_cents


@dataclass(frozen=True, repr=False)
class Limits(Shown):
    """What a transfer and a day may move, and what is left of `day`, over all users, in cents."""

    transfer_cents: int
    daily_cents: int
    daily_left_cents: int
    day: str

    def __str__(self) -> str:
        most, left = format_cents(self.transfer_cents), format_cents(self.daily_left_cents)
        return f"{most} a transfer; {left} of {format_cents(self.daily_cents)} left on {self.day}"
