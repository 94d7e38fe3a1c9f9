"""What may be moved: the figures that a desk says and a panel shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a transfer and a day may move, and what is left of `day`, over all users, in cents."""

    transfer_cents: int
    daily_cents: int
    daily_left_cents: int
    day: str
