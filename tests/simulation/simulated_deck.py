"""The cards of a simulation: each is a fault that can be dealt, with options made by chance.

A card is a name, a kind of fault and its options. Whatever is in the sandbox's registry of
faults takes part by itself, beside what happens to the wire, to the disk and to the process.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from simulated_disk import DEATH, REFUSALS
from simulated_network import DROPS

from seqdata.sandbox.faults.kinds import KINDS, VARIANTS, check_options
from seqdata.sandbox.faults.lies import ACCOUNTS, DETAILS, LIES

#: A person who interrupts a sync.
INTERRUPT = "interrupt"

#: What no fault of the service is.
SURROUNDINGS = (*DROPS, *REFUSALS, DEATH, INTERRUPT)

#: Faults of the official API alone, which a life's ledger does not ask.
_OF_THE_OTHER_API = {"refused", "balance_error"}

#: What can be dealt: every kind of fault, and what surrounds the program; kinds that are alike
#: begin alike, so their order is that of their last letters.
CARDS = tuple(
    sorted((*(KINDS.keys() - _OF_THE_OTHER_API), *SURROUNDINGS), key=lambda name: name[::-1])
)

#: Lies that need a second organization, which a life's world does not have.
_OF_TWO = {"page_of_other_organization", "detail_of_other_organization"}

#: Every lie by its name, after the kinds.
EVERY = (*CARDS, *(name for name in LIES if name not in _OF_TWO))


@dataclass(frozen=True)
class Card:
    """A fault to be switched on; of the service where `kind` is one of its registry."""

    name: str
    kind: str
    options: dict[str, Any]
    told_of: str | None = None

    @property
    def is_of_service(self) -> bool:
        return self.kind in KINDS

    @property
    def operation(self) -> str | None:
        """The operation that it acts on; None is any."""
        return "CreatePayment" if self.needs_payment else self.told_of

    @property
    def is_told_once(self) -> bool:
        """Whether it may leave accounts out: two lists that miss one, an hour apart, close it."""
        return self.operation == ACCOUNTS or self.options.get("of") in ("organization", "answer")

    @property
    def needs_details(self) -> bool:
        """Whether it acts where a transfer is asked for by its id."""
        return self.operation == DETAILS

    @property
    def needs_payment(self) -> bool:
        """Whether it acts on a payment alone."""
        return self.is_of_service and (
            KINDS[self.kind].place in ("payment", "fate") or self.kind == "contradiction"
        )


def deal(cards: tuple[str, ...], start: int, chance: Random) -> Iterator[Card]:
    """Deal all cards again and again, from one of them on: lives that follow go on from there."""
    for place in itertools.count(start):
        name = cards[place % len(cards)]
        lie = LIES.get(name)
        if lie is not None:
            yield Card(name, lie.kind, lie.options, lie.operation)
        else:
            yield Card(name, name, options_of(name, chance) if name in KINDS else {})


def options_of(kind: str, chance: Random) -> dict[str, Any]:
    """Make options for a fault, some of those that it has; one that is not known is left out."""
    wanted = [name for name in sorted(KINDS[kind].options) if chance.random() < 0.6]
    options: dict[str, Any] = {}
    if "field" in KINDS[kind].options and "of" in KINDS[kind].options:
        place = chance.choice(sorted(FIELDS))
        options = {"of": place.partition(" ")[0], "field": place.partition(" ")[2]}
    for name in wanted:
        values = VALUES.get(f"{kind} {name}") or VALUES.get(name)
        if name not in options and values:
            options[name] = chance.choice(values(kind))
    check_options(kind, options)
    return options


#: The fields that are altered, and the columns of a ledger in which that may be seen.
FIELDS: dict[str, tuple[str, ...]] = {
    "transfer status": ("status",),
    "transfer errorReason": ("error_reason",),
    "transfer description": ("description",),
    "transfer amount.cents": ("amount_cents",),
    "transfer createdAt": ("created_at",),
    "transfer updatedAt": ("updated_at",),
    "transfer direction": ("direction",),
    "transfer activityType": ("activity_type",),
    "transfer source.name": ("source_name",),
    "transfer source.__typename": ("source_party", "source_id", "source_name"),
    "transfer destination.__typename": ("destination_party", "destination_id", "destination_name"),
    "account name": ("accounts",),
    "account balance.cents": ("accounts",),
}

VALUES: dict[str, Callable[[str], list[Any]]] = {
    "all": lambda _: [True],
    "before": lambda _: [True, False],
    "code": lambda _: ["INTERNAL_SERVER_ERROR", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "NEW"],
    "errors_with_data message": lambda _: ["Something went wrong", "numberOfTransfers is tired"],
    "forbidden status": lambda _: [403, 451, 503],
    "contradiction status": lambda _: [400, 429],
    "server_error status": lambda _: [500, 503, 504],
    "payment_fails status": lambda _: ["FAILED", "CANCELLED", "ERROR", "INCOMPLETE"],
    "null": lambda _: [True],
    "retry_after": lambda _: [0, 1, 119, 121],
    "reversed": lambda _: [True, False],
    "row": lambda _: [None, 0, 1, 7],
    "rows": lambda _: [1, 2],
    "slow seconds": lambda _: [1, 30, 45],
    "payment_fails seconds": lambda _: [60, 200_000],
    "share": lambda _: [0.01, 0.5, 0.99],
    "to": lambda _: ["text", "list", "object"],
    "value": lambda _: ["TELEPORTED", None, "2199-01-01T00:00:00Z", "1970-01-02T00:00:00Z", -5],
    "variant": lambda kind: list(VARIANTS[kind]),
}


def columns_of(card: Card) -> tuple[str, ...]:
    """Name the columns in which a card may leave what is not so; ``*`` is any.

    ``rows`` is no column: where rows may be left out too, less of what was read can be true.
    """
    if not card.is_of_service or card.kind in FAITHFUL:
        return ()
    if card.kind == "stale":
        return ("rows", "status", "error_reason", "updated_at")
    if KINDS[card.kind].place != "alter":
        return ("rows",)
    place = f"{card.options.get('of', 'transfer')} {card.options.get('field', '')}"
    if place.startswith(("page ", "organization ", "answer ")):
        return ("rows",)
    return ("rows", *FIELDS.get(place, ("*",)))


#: Kinds under which no value of a row is lost or altered.
FAITHFUL = frozenset((
    "unauthorized", "forbidden", "rate_limit", "server_error", "bad_gateway", "cut", "cut_after",
    "cut_midway", "truncated_json", "errors_without_data", "errors_with_data", "repeated_cursor",
    "empty_page", "short_page", "expired_cursor", "duplicate_row", "ignored_filter", "no_count",
    "slow", "wire", "contradiction", "payment_fails", "create_error",
))  # fmt: skip
