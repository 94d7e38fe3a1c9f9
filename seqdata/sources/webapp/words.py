"""The web application's words, and ours for them.

What a transfer is made by is decided by its parties where these leave no choice, else by the
raw word. A word that is new is ``unknown``; one that fits none of ours is ``other``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from seqdata.core.arrow import Column
from seqdata.sources.schemas import LEGS, TRANSFER_ROWS
from seqdata.sources.vocabulary import INSIDE, Kind, Party, State

#: What the statuses mean for money. A word that is not here is unknown.
STATES: Mapping[str, State] = {
    "PENDING": State.OPEN,
    "PROCESSING": State.OPEN,
    "PENDING_APPROVAL": State.OPEN,
    "COMPLETE": State.SETTLED,
    "FAILED": State.FAILED,
    "ERROR": State.FAILED,
    "INCOMPLETE": State.FAILED,
    "CANCELLED": State.CANCELLED,
}

#: What the types of a node at an end of a transfer are. Another one is no party of ours.
PARTIES: Mapping[str, Party] = {
    "Pod": Party.POD,
    "Port": Party.PORT,
    "Account": Party.ACCOUNT,
    "Merchant": Party.MERCHANT,
    "ExternalEntity": Party.ENTITY,
}

#: What the activity types mean, where the parties leave a choice.
KINDS: Mapping[str, Kind] = {
    "ONE_TIME_TRANSFER": Kind.BY_HAND,
    "RULE": Kind.RULE,
    "DIRECT_DEPOSIT": Kind.DEPOSIT,
    "MONEY_IN": Kind.DEPOSIT,
    "CASHBACK": Kind.CASHBACK,
    "PULLED_FROM_SEQUENCE": Kind.PULLED,
    "ACH": Kind.OTHER,
}

#: Source and destination that decide, whatever the word: purchases and refunds, and income.
KINDS_OF_PARTIES: Mapping[tuple[str | None, str | None], Kind] = {
    **{(own, Party.MERCHANT): Kind.CARD for own in INSIDE},
    **{(Party.MERCHANT, own): Kind.CARD for own in INSIDE},
    (Party.ENTITY, Party.PORT): Kind.DEPOSIT,
}

#: The type of a transfer that a payment by hand has, whatever its activity type.
_BY_HAND = "ONE_TIME_TRANSFER"


def state_of(status: str | None) -> State:
    """Return what a status means."""
    return STATES.get(status or "", State.UNKNOWN)


def party_of(typename: str | None) -> str | None:
    """Return what the type of a node is at an end of a transfer; a new one as it is."""
    return None if typename is None else PARTIES.get(typename, typename)


def kind_of(
    source_party: str | None, destination_party: str | None, activity_type: str | None
) -> Kind:
    """Return what made a transfer, from its parties in our words and the raw activity type."""
    by_word = KINDS.get(activity_type or "", Kind.UNKNOWN)
    return KINDS_OF_PARTIES.get((source_party, destination_party), by_word)


def by_hand(kind: str, activity_type: str | None, type_: str | None) -> bool | None:
    """Tell whether a person's program made a transfer; None where the service does not say."""
    if _BY_HAND in (activity_type, type_):
        return True
    return None if kind in (Kind.OTHER, Kind.UNKNOWN) else False


# -- tables ------------------------------------------------------------------------------------


def _raw(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a table that the service's own words fill."""
    fields = (one.with_name(_RAW_NAMES.get(one.name, one.name)) for one in schema)
    return pa.schema([one for one in fields if one.name not in ("state", "kind")])


_RAW_NAMES = {"source_party": "source_kind", "destination_party": "destination_kind"}

#: Transfers and their legs in the service's words. Of a transfer it says in legs alone when its
#: money had arrived.
RAW_TRANSFERS = pa.schema(
    [one for one in _raw(TRANSFER_ROWS) if one.name not in ("settled_at", "returned_at")]
)
RAW_LEGS = _raw(LEGS)

#: The columns of ours, and the raw ones that each is made of.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "state": ("status",),
    "kind": ("source_kind", "destination_kind", "activity_type"),
    "source_party": ("source_kind",),
    "destination_party": ("destination_kind",),
}


def in_our_words(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of `schema`, ours made of the service's words.

    Parameters
    ----------
    table
        Raw columns, such as RAW_TRANSFERS.
    schema
        What it becomes, such as TRANSFER_ROWS; what nothing is said of is null.
    """
    return pa.table({one.name: _column(one, table) for one in schema})


def _column(field: pa.Field[Any], table: pa.Table) -> Column:
    name = field.name
    decide = _DECIDE.get(name)
    made_of = MADE_OF.get(name, ())
    if not {name, *made_of} & {*table.column_names}:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    if decide is None or not set(made_of) <= set(table.column_names):
        return table[name]
    return _decided([table[raw] for raw in made_of], decide)


def _kind_of_nodes(source: str | None, destination: str | None, word: str | None) -> Kind:
    return kind_of(party_of(source), party_of(destination), word)


_DECIDE: Mapping[str, Callable[..., str | None]] = {
    "state": state_of,
    "kind": _kind_of_nodes,
    "source_party": party_of,
    "destination_party": party_of,
}


def _decided(columns: list[Column], decide: Callable[..., str | None]) -> Column:
    """Decide once for each combination of values that occurs: a million rows have a few."""
    of = cache(decide)
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return pa.chunked_array([pa.array([of(*row) for row in rows], pa.string())])
