"""The web application's words, and ours for them.

What a transfer is made by is decided by its parties where these leave no choice, else by the
raw word. A word that is new is ``unknown``; one that fits none of ours is ``other``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from seqdata.sources.rows import Row
from seqdata.sources.schemas import PARTY_COLUMNS
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


def transfer_in_our_words(raw: Row) -> Row:
    """Return a transfer with ``state``, ``kind`` and the parties in our words.

    Parameters
    ----------
    raw
        Its columns, with the service's words: status, source_kind, destination_kind, type,
        activity_type.
    """
    row = {**raw, **_ours(*map(raw.get, _MADE_OF))}
    for name in PARTY_COLUMNS:
        row.pop(name, None)
    return row


_MADE_OF = ("status", "source_kind", "destination_kind", "activity_type")


@cache  # a million rows have a few combinations
def _ours(status: str | None, source: str | None, destination: str | None, word: str | None) -> Row:
    parties = {"source_party": party_of(source), "destination_party": party_of(destination)}
    kind = kind_of(parties["source_party"], parties["destination_party"], word)
    known = {name: str(party) for name, party in parties.items() if party is not None}
    return {"state": state_of(status).value, "kind": kind.value, **known}


def leg_in_our_words(raw: Row) -> Row:
    """Return a step of a transfer with its ``state``, made of its status."""
    return {**raw, "state": state_of(raw.get("status")).value}
