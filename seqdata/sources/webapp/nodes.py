"""The service's nodes as rows of ours.

Nodes are read as they were sent: what is missing is left out, never zero. Values of a type that
was not expected are kept where they can be read, and noted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from seqdata.core.moments import micros, parse_timestamp
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.base import Drift
from seqdata.sources.rows import Row
from seqdata.sources.webapp.documents import Node
from seqdata.sources.webapp.words import leg_in_our_words, transfer_in_our_words
from seqdata.types import ActivityType, Direction, TransferStatus


def transfer_rows(nodes: Sequence[Node], drift: Drift) -> list[Row]:
    """Read transfers: TRANSFER_ROWS, in our words.

    Raises
    ------
    UnexpectedAnswer
        A transfer is no object or has no id: it cannot be kept.
    """
    _check_nodes(nodes, "a list of transfers")
    rows = [_transfer(node, drift) for node in nodes]
    for name, known in _KNOWN_VALUES.items():
        for value in {row.get(name) for row in rows} - known - {None}:
            first = next(row for row in rows if row.get(name) == value)
            drift.note(f"{name}={value}", first["id"])
    return rows


def account_rows(nodes: Sequence[tuple[str, Node]], drift: Drift) -> list[Row]:
    """Read accounts, each a kind and a node: ACCOUNT_ROWS."""
    _check_nodes([node for _, node in nodes], "a list of accounts")
    return [_account(kind, node, drift) for kind, node in nodes]


def balance_rows(nodes: Iterable[Node], served_at: datetime, drift: Drift) -> list[Row]:
    """Read those balances of accounts that are known: BALANCES."""
    at = micros(served_at)
    rows = []
    for node in nodes:
        balance = _inside(_inside(node, "metadata", node, drift), "balance", node, drift)
        row: Row = {"account_id": _text(node["id"])[0], "as_of": at, "confirmed_at": at}
        _fill(row, _BALANCE, balance, node, drift)
        if "balance_cents" in row:
            rows.append({**row, "origin": "sync"})
    return rows


def detail_rows(nodes: Sequence[Node], served_at: datetime, drift: Drift) -> list[Row]:
    """Read what made transfers: DETAILS, each with the LEGS of its payments under ``legs``."""
    _check_nodes(nodes, "details of transfers")
    return [_details(node, served_at, drift) for node in nodes]


# -- one node ----------------------------------------------------------------------------------


def _check_nodes(nodes: Iterable[Node], what: str) -> None:
    """Refuse what cannot be filed under an id, before it is written."""
    for node in nodes:
        if not isinstance(node, dict):
            raise UnexpectedAnswer(what, "an object for each", type(node).__name__)
        own_id = node.get("id")
        if not isinstance(own_id, str | int) or own_id is True:
            raise UnexpectedAnswer(what, "an id in each", "one without it")
        if _text(own_id)[0] != str(own_id):
            raise UnexpectedAnswer(what, "an id in each", "half a character in one")


def _transfer(node: Node, drift: Drift) -> Row:
    if not node.keys() >= _ALWAYS or any(node[key] is None for key in _NEVER_NULL):
        _note_missing(node, drift)
    row: Row = {}
    _fill(row, _TRANSFER, node, node, drift)
    amount = _inside(node, "amount", node, drift)
    if amount is not _NOTHING and amount.get("cents") is None:
        drift.note("amount.cents: missing", node["id"])
    _fill(row, _AMOUNT, amount, node, drift)
    for end, fields in _ENDS.items():
        _fill(row, fields, _inside(node, end, node, drift), node, drift)
    return transfer_in_our_words(row)


def _note_missing(node: Node, drift: Drift) -> None:
    """Note fields that a transfer always has, and did not have here."""
    for key in sorted(_ALWAYS):
        if key not in node or (node[key] is None and key in _NEVER_NULL):
            drift.note(f"{key}: missing", node["id"])


def _account(kind: str, node: Node, drift: Drift) -> Row:
    row: Row = {"kind": kind}
    _fill(row, _ACCOUNT, node, node, drift)
    if not node.get("institutionName"):
        metadata = _inside(node, "metadata", node, drift)
        _fill(row, _INSTITUTION, _inside(metadata, "institution", node, drift), node, drift)
    return row


def _details(node: Node, served_at: datetime, drift: Drift) -> Row:
    row: Row = {"id": _text(node["id"])[0], "fetched_at": micros(served_at)}
    facts = _inside(node, "details", node, drift)
    typename = str(facts.get("__typename") or "")
    if typename in _DETAIL_KINDS:
        row["kind"] = _DETAIL_KINDS[typename]
    elif typename:
        drift.note(f"details={typename}", node["id"])
    rule = _inside(node, "ruleDetails", node, drift)
    _fill(row, _RULE, rule, node, drift)
    payments = [(leg, _inside(facts, key, node, drift)) for leg, key in sorted(_LEGS.items())]
    legs = [_leg(leg, payment, node, drift) for leg, payment in payments if payment]
    return {**row, "legs": legs} if legs else row


def _leg(leg: str, payment: Node, of: Node, drift: Drift) -> Row:
    row: Row = {"leg": leg}
    _fill(row, _LEG, payment, of, drift)
    return leg_in_our_words(row)


def _inside(node: Node, key: str, of: Node, drift: Drift) -> Node:
    """Give the object under a key; what is no object is noted, and read as one without fields.

    `of` is the thing that it is somewhere in.
    """
    found = node.get(key)
    if isinstance(found, dict):
        return found
    if found is not None:
        drift.note(f"{key}: {type(found).__name__}, unreadable", of["id"])
    return _NOTHING


_NOTHING: Node = {}

# -- one value ---------------------------------------------------------------------------------

#: Reads a value as a column has it: what it is, or None, and what is odd about it, if anything.
_Reader: TypeAlias = Callable[[Any], tuple[Any, str]]

#: A column, the key that it has in an answer, and how it is read.
_Field: TypeAlias = tuple[str, str, _Reader]


def _fill(row: Row, fields: Iterable[_Field], said: Node, of: Node, drift: Drift) -> None:
    """Put what an object says into a row, column by column; what is odd in it is noted.

    `of` is the thing that it is said of.
    """
    for name, key, read in fields:
        value = said.get(key)
        if value is None:
            continue
        if read is _text and type(value) is str and value.isascii():  # most are: it saves a call
            row[name] = value
            continue
        found, odd = read(value)
        if odd:
            drift.note(f"{name}: {odd}", of["id"])
        if found is not None:
            row[name] = found


def _text(value: Any) -> tuple[str | None, str]:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text
        return text, "" if text == value else "half a surrogate pair"
    return (str(value), _kind(value)) if isinstance(value, int | float) else _unreadable(value)


def _int(value: Any) -> tuple[int | None, str]:
    """Read whole numbers, and texts of them; a fraction may be dollars, so it is not guessed."""
    if type(value) is int and abs(value) < 2**63:
        return value, ""
    is_text = isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value, re.ASCII)
    return (int(value), _kind(value)) if is_text else _unreadable(value)


def _moment(value: Any) -> tuple[int | None, str]:
    """Read a moment, with a zone or in UTC; a date alone is noon, the same day in most zones."""
    moment = _datetime(value)
    if moment is None:
        return _unreadable(value)
    return micros(moment), "a date alone" if _is_date(value) else ""


def _date(value: Any) -> tuple[str | None, str]:
    moment = _datetime(value)
    return _unreadable(value) if moment is None else (moment.date().isoformat(), "")


def _datetime(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = parse_timestamp(value) or datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None
    if _is_date(value):
        moment = moment.replace(hour=12)
    return moment if _YEARS[0] <= moment.year <= _YEARS[1] else None


def _is_date(text: str) -> bool:
    return len(text) <= len("2026-11-01") and _DATE.fullmatch(text) is not None


_DATE = re.compile(r"\d{4}-?(\d{2}-?\d{2}|W\d{2}-?\d)")

#: Moments outside of these years cannot be meant.
_YEARS = (1970, 2199)


def _kind(value: object) -> str:
    return type(value).__name__


def _unreadable(value: object) -> tuple[None, str]:
    return None, f"{_kind(value)}, unreadable"


# -- which field is which column ---------------------------------------------------------------

_TRANSFER: tuple[_Field, ...] = (
    ("id", "id", _text),
    ("type", "type", _text),
    ("status", "status", _text),
    ("error_reason", "errorReason", _text),
    ("created_at", "createdAt", _moment),
    ("updated_at", "updatedAt", _moment),
    ("direction", "direction", _text),
    ("activity_type", "activityType", _text),
    ("description", "description", _text),
)

_AMOUNT: tuple[_Field, ...] = (("amount_cents", "cents", _int),)

_PARTY = {"id": "id", "name": "name", "kind": "__typename"}
_ENDS: dict[str, tuple[_Field, ...]] = {
    end: tuple((f"{end}_{name}", key, _text) for name, key in _PARTY.items())
    for end in ("source", "destination")
}

#: What every transfer has, and what of it is never null.
_ALWAYS = frozenset({*(key for _, key, _ in _TRANSFER), "amount", *_ENDS})
_NEVER_NULL = ("status", "createdAt", "amount")

_ACCOUNT: tuple[_Field, ...] = (
    ("id", "id", _text),
    ("name", "name", _text),
    ("type", "type", _text),
    ("provider_type", "providerType", _text),
    ("goal_cents", "goalAmountInCents", _int),
    ("linked_account_id", "linkedAccountId", _text),
    ("created_at", "createdAt", _moment),
    ("institution", "institutionName", _text),
)

_INSTITUTION: tuple[_Field, ...] = (("institution", "name", _text),)
_BALANCE: tuple[_Field, ...] = (("balance_cents", "cents", _int),)

_RULE: tuple[_Field, ...] = (
    ("rule_trigger_type", "triggerType", _text),
    ("rule_trigger_cron", "triggerCron", _text),
)

_DETAIL_KINDS = {"SimpleTransferDetails": "simple", "CompoundTransferDetails": "compound"}

_LEGS = {
    "payment": "status",
    "pull": "pullPaymentStatus",
    "push": "pushPaymentStatus",
    "reversal": "reversalPaymentStatus",
}

_LEG: tuple[_Field, ...] = (
    ("status", "status", _text),
    ("created_at", "createdAt", _moment),
    ("completed_at", "completedAt", _moment),
    ("expected_on", "expectedCompletionDate", _date),
)

#: Words that are no news; our sandbox made up the last ones of each, where nobody knows the
#: service's.
_KNOWN_VALUES: dict[str, frozenset[str]] = {
    "status": frozenset({*TransferStatus, "UNDER_REVIEW"}),
    "direction": frozenset(Direction),
    "activity_type": frozenset({*ActivityType, "CARD_PURCHASE", "CARD_REFUND"}),
    "type": frozenset({"TRANSFER", "ONE_TIME_TRANSFER"}),
}
