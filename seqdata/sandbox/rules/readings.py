"""How rules are read where the service's documents leave a choice: one switch for each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the documents leave open, and which way it goes. Each default is a guess."""

    #: ROUND_DOWN of 2,234.56 at 1,000: "keep" 1,000 and move the rest, or move what is over a
    #: "multiple" of it (234.56).
    round_down: Literal["keep", "multiple"] = "keep"
    #: How a percentage becomes whole cents.
    percent_rounding: Literal["down", "half_up", "half_even"] = "down"
    #: Who gets the cents by which rounded percentages of a group miss their rounded sum.
    odd_cent: Literal["nobody", "first", "last"] = "nobody"
    #: The transfer that would exceed a limit by week, month or year.
    limit_remainder: Literal["cut", "skipped"] = "cut"
    #: How actions of a group share a limit: the first ones first, or in proportion.
    limit_sharing: Literal["in_order", "in_proportion"] = "in_order"
    #: Whether a transfer on its way, or one that failed, uses a limit up.
    limit_counts_pending: bool = True
    limit_counts_failed: bool = False
    #: Whose days, weeks and months the limits and DATE are in.
    limit_zone: Literal["UTC", "America/New_York"] = "UTC"
    date_zone: Literal["UTC", "America/New_York"] = "UTC"
    #: A TOP_UP whose source is short: as `up_to_enabled` says, or always what there is.
    top_up_short: Literal["up_to", "partial"] = "up_to"
    #: Whether a TOP_UP counts what is on its way to the destination.
    top_up_counts_pending: bool = True
    #: The balance that a condition sees when money has come in.
    condition_balance: Literal["after", "before"] = "after"
    #: An action of less than a dollar: nothing is made of it, or it fails and stops the rule.
    under_a_dollar: Literal["skips", "stops"] = "skips"
    #: MONTHLY from the 29th, 30th or 31st on, in a shorter month.
    short_month: Literal["clamp", "skip"] = "clamp"
    #: BI_WEEKLY: on the 1st and the 15th, or each second week from the start on.
    bi_weekly: Literal["1st_and_15th", "14_days"] = "1st_and_15th"
    #: Which of several rules goes first that are due at the same instant.
    due_order: Literal["oldest", "newest", "name"] = "oldest"
    #: A trigger with an amount of 0: that amount, or none.
    execute_zero: Literal["amount", "none"] = "amount"
    #: After so many hours a run that was short of money is tried again, once. 0: never.
    retry_hours: int = 0

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            words, given = get_args(hint), getattr(self, name)
            if words and given not in words:
                raise ValueError(f"{name} is one of {', '.join(words)}, not {given!r}")


#: The names of all switches, in order.
SWITCHES = tuple(field.name for field in fields(Readings))
