"""The service's nodes as columns of the store's tables.

Nodes are read as they were sent: what is missing is null, never zero. Values of a type that
was not expected are kept where they can be read, and noted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.core.moments import parse_timestamp
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.base import Drift
from seqdata.sources.schemas import ACCOUNT_ROWS, BALANCES, DETAILS, LEGS, MOMENT, TRANSFER_ROWS
from seqdata.sources.webapp.documents import Node
from seqdata.sources.webapp.words import RAW_LEGS, RAW_TRANSFERS, in_our_words
from seqdata.types import ActivityType, Direction, TransferStatus


def transfer_table(nodes: list[Node], organization_id: str, drift: Drift) -> pa.Table:
    """Turn transfer nodes into a table of TRANSFER_ROWS, in our words; what is missing is null.

    Raises
    ------
    UnexpectedAnswer
        A transfer is no object or has no id: it cannot be kept.
    """
    _check_nodes(nodes, "a list of transfers")
    try:
        table = _documented_transfers(nodes, organization_id)
    except (*_NOT_DOCUMENTED, KeyError, AttributeError):
        _note_missing(nodes, drift)
        table = _table(RAW_TRANSFERS, _transfer_columns(nodes, organization_id, drift), drift)
    _note_unknown(table, drift)
    return in_our_words(table, TRANSFER_ROWS)


def _check_nodes(nodes: list[Node], what: str) -> None:
    """Refuse what cannot be filed under an id, before it is archived or written."""
    for node in nodes:
        if not isinstance(node, dict):
            raise UnexpectedAnswer(what, "an object for each", type(node).__name__)
        if not isinstance(node.get("id"), str | int) or node["id"] is True:
            raise UnexpectedAnswer(what, "an id in each", "one without it")
        if _read_text(node["id"]) != str(node["id"]):
            raise UnexpectedAnswer(what, "an id in each", "half a character in one")


def _documented_transfers(nodes: list[Node], organization_id: str) -> pa.Table:
    """Let Arrow read nodes whose values are all of the documented types; else it raises.

    Measured: a third less time for a page, and the same table as :func:`_transfer_columns`.
    """
    for node in nodes:
        # Arrow takes an absent key for null, and 12.0 for 12.
        is_whole = node.keys() >= _TRANSFER_FIELDS and node["status"] and node["createdAt"]
        if not is_whole or type(node["amount"]["cents"]) is not int:
            raise TypeError("a transfer is not as documented")
    read: Column = pa.array(nodes, _TRANSFER_NODE)
    fields = dict(zip(_TRANSFER_NODE.names, read.flatten(), strict=True))
    columns: dict[str, Column] = {name: fields[key] for name, key in _TRANSFER_KEYS.items()}
    columns["organization_id"] = pa.repeat(pa.scalar(organization_id, _TEXT), len(nodes))
    columns["amount_cents"] = fields["amount"].flatten()[0]
    for end in ("source", "destination"):
        parts = zip(_PARTY_KEYS, fields[end].flatten(), strict=True)
        columns |= {f"{end}_{name}": part for name, part in parts}
    for name in ("created_at", "updated_at"):
        columns[name] = _moments(columns[name])
    return pa.table([columns[name] for name in RAW_TRANSFERS.names], schema=RAW_TRANSFERS)


def _transfer_columns(
    nodes: list[Node], organization_id: str, drift: Drift
) -> dict[str, list[Any]]:
    """Take the columns' values as they were sent, of whatever type."""
    columns: dict[str, list[Any]] = {
        "organization_id": [organization_id] * len(nodes),
        "amount_cents": [_inside(node, "amount", node, drift).get("cents") for node in nodes],
    }
    for name, key in _TRANSFER_KEYS.items():
        columns[name] = [node.get(key) for node in nodes]
    for end in ("source", "destination"):
        parties = [_inside(node, end, node, drift) for node in nodes]
        for name, key in _PARTY_KEYS.items():
            columns[f"{end}_{name}"] = [party.get(key) for party in parties]
    return columns


def account_tables(
    nodes: list[tuple[str, Node]], organization_id: str, served_at: datetime, drift: Drift
) -> tuple[pa.Table, pa.Table]:
    """Turn pairs of kind and account node into ACCOUNT_ROWS and the BALANCES that are known."""
    _check_nodes([node for _, node in nodes], "a list of accounts")
    organization = [organization_id] * len(nodes)
    cents = [_balance(node, drift) for _, node in nodes]
    balances = {
        "organization_id": organization,
        "account_id": [node["id"] for _, node in nodes],
        "as_of": [served_at] * len(nodes),
        "confirmed_at": [served_at] * len(nodes),
        "balance_cents": cents,
        "origin": ["sync"] * len(nodes),
    }
    accounts: dict[str, list[Any]] = {
        name: [node.get(key) for _, node in nodes] for name, key in _ACCOUNT_KEYS.items()
    }
    accounts |= {"organization_id": organization, "kind": [kind for kind, _ in nodes]}
    accounts["institution"] = [_institution(node, drift) for _, node in nodes]
    observed = _table(BALANCES, balances, drift)
    known = pc.is_valid(observed["balance_cents"])
    return _table(ACCOUNT_ROWS, accounts, drift), observed.filter(known)


def detail_tables(
    nodes: list[Node], organization_id: str, served_at: datetime, drift: Drift
) -> tuple[pa.Table, pa.Table]:
    """Turn transfer nodes into tables of DETAILS (one row each) and LEGS (one a payment)."""
    _check_nodes(nodes, "details of transfers")
    known = [_inside(node, "details", node, drift) for node in nodes]
    kinds = [_detail_kind(node, facts, drift) for node, facts in zip(nodes, known, strict=True)]
    rules = [_inside(node, "ruleDetails", node, drift) for node in nodes]
    details = {
        "organization_id": [organization_id] * len(nodes),
        "id": [node["id"] for node in nodes],
        "kind": kinds,
        "rule_trigger_type": [rule.get("triggerType") for rule in rules],
        "rule_trigger_cron": [rule.get("triggerCron") for rule in rules],
        "fetched_at": [served_at] * len(nodes),
    }
    payments = [
        (node["id"], leg, payment)
        for node, facts in zip(nodes, known, strict=True)
        for leg, key in _LEG_KEYS.items()
        if (payment := _inside(facts, key, node, drift))
    ]
    legs = {
        "organization_id": [organization_id] * len(payments),
        "id": [transfer_id for transfer_id, _, _ in payments],
        "leg": [leg for _, leg, _ in payments],
        "status": [payment.get("status") for _, _, payment in payments],
        "created_at": [payment.get("createdAt") for _, _, payment in payments],
        "completed_at": [payment.get("completedAt") for _, _, payment in payments],
        "expected_on": [payment.get("expectedCompletionDate") for _, _, payment in payments],
    }
    return _table(DETAILS, details, drift), in_our_words(_table(RAW_LEGS, legs, drift), LEGS)


_NOTHING: Node = {}

_NOT_DOCUMENTED = (
    pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError, UnicodeEncodeError
)  # fmt: skip


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


def _note_missing(nodes: list[Node], drift: Drift) -> None:
    """Note fields that a transfer always has, and did not have here."""
    for node in nodes:
        for key in sorted(_TRANSFER_FIELDS - node.keys()):
            drift.note(f"{key}: missing", node["id"])
        for key in ("status", "createdAt", "amount"):
            if key in node and node[key] is None:
                drift.note(f"{key}: missing", node["id"])
        amount = node.get("amount")
        if isinstance(amount, dict) and amount.get("cents") is None:
            drift.note("amount.cents: missing", node["id"])


_TRANSFER_KEYS = {
    "id": "id",
    "type": "type",
    "status": "status",
    "error_reason": "errorReason",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "direction": "direction",
    "activity_type": "activityType",
    "description": "description",
}

_TRANSFER_FIELDS = frozenset({*_TRANSFER_KEYS.values(), "amount", "source", "destination"})

_PARTY_KEYS = {"id": "id", "name": "name", "kind": "__typename"}

_TEXT = pa.string()
_PARTY = pa.struct([(key, _TEXT) for key in _PARTY_KEYS.values()])
_TRANSFER_NODE = pa.struct(
    [
        *((key, _TEXT) for key in _TRANSFER_KEYS.values()),
        ("amount", pa.struct([("cents", pa.int64())])),
        ("source", _PARTY),
        ("destination", _PARTY),
    ]
)

_LEG_KEYS = {
    "payment": "status",
    "pull": "pullPaymentStatus",
    "push": "pushPaymentStatus",
    "reversal": "reversalPaymentStatus",
}

_DETAIL_KINDS = {"SimpleTransferDetails": "simple", "CompoundTransferDetails": "compound"}

_KNOWN_VALUES: dict[str, frozenset[str]] = {
    "status": frozenset(TransferStatus),
    "direction": frozenset(Direction),
    "activity_type": frozenset(ActivityType),
    "type": frozenset({"TRANSFER", "ONE_TIME_TRANSFER"}),
}


def _balance(node: Node, drift: Drift) -> Any:
    return _inside(_inside(node, "metadata", node, drift), "balance", node, drift).get("cents")


def _institution(node: Node, drift: Drift) -> Any:
    named = _inside(_inside(node, "metadata", node, drift), "institution", node, drift)
    return node.get("institutionName") or named.get("name")


_ACCOUNT_KEYS = {
    "id": "id",
    "name": "name",
    "type": "type",
    "provider_type": "providerType",
    "goal_cents": "goalAmountInCents",
    "linked_account_id": "linkedAccountId",
    "created_at": "createdAt",
}


def _detail_kind(node: Node, facts: Node, drift: Drift) -> str | None:
    typename = str(facts.get("__typename") or "")
    if typename and typename not in _DETAIL_KINDS:
        drift.note(f"details={typename}", node["id"])
    return _DETAIL_KINDS.get(typename)


def _note_unknown(table: pa.Table, drift: Drift) -> None:
    for name, known in _KNOWN_VALUES.items():
        for value in pc.unique(table[name]).to_pylist():
            if value is not None and value not in known:
                first = pc.index(table[name], value).as_py()
                drift.note(f"{name}={value}", table["id"][first])


def _table(schema: pa.Schema, columns: dict[str, list[Any]], drift: Drift) -> pa.Table:
    ids = columns["id" if "id" in columns else "account_id"]
    arrays = [_array(columns[column.name], column, ids, drift) for column in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: list[Any], column: pa.Field[Any], ids: list[Any], drift: Drift) -> Column:
    """Build a column; values of another type than documented are read where they can be."""
    try:
        if column.type == MOMENT and not any(isinstance(value, datetime) for value in values):
            return _moments(pa.array(values, pa.string()))
        if pa.types.is_date32(column.type):
            return pa.array(values, pa.string()).cast(column.type)
        if not any(isinstance(value, float) for value in values):  # Arrow takes 12.0 for 12
            return pa.array(values, column.type)
    except _NOT_DOCUMENTED:
        pass
    pairs = zip(values, ids, strict=True)
    return pa.array([_read(value, column, of, drift) for value, of in pairs], column.type)


def _read(value: Any, column: pa.Field[Any], of: object, drift: Drift) -> Any:
    if value is None:
        return None
    read = _tolerant_reader(column.type)(value)
    is_timely = column.type == MOMENT or pa.types.is_date32(column.type)
    if read is None:
        drift.note(f"{column.name}: {type(value).__name__}, unreadable", of)
    elif isinstance(value, str) and isinstance(read, str) and read != value:
        drift.note(f"{column.name}: half a surrogate pair", of)
    elif column.type == MOMENT and _is_date(value):
        drift.note(f"{column.name}: a date alone", of)
    elif type(read) is not type(value) and not (is_timely and isinstance(value, str)):
        drift.note(f"{column.name}: {type(value).__name__}", of)
    return read


def _tolerant_reader(kind: pa.DataType) -> Callable[[Any], Any]:
    if kind == MOMENT:
        return _read_moment
    if pa.types.is_date32(kind):
        return _read_date
    if pa.types.is_int64(kind):
        return _read_int
    return _read_text


def _read_text(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    return str(value).encode("utf-8", "replace").decode()  # half of a surrogate pair is no text


def _read_moment(value: Any) -> datetime | None:
    """Read a moment, with a zone or in UTC; a date alone is noon, the same day in most zones."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        moment = parse_timestamp(value) or datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None
    if _is_date(value):
        moment = moment.replace(hour=12)
    return moment if _YEARS[0] <= moment.year <= _YEARS[1] else None


def _moments(texts: Column) -> Column:
    """Read ISO texts at once; raise where one is no moment that can be meant."""
    read: Column = texts.cast(MOMENT)
    bounds = pc.min_max(pc.year(read)).as_py()
    if bounds["min"] is not None and not _YEARS[0] <= bounds["min"] <= bounds["max"] <= _YEARS[1]:
        raise TypeError("a moment that cannot be meant")
    return read


def _is_date(value: object) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None


_DATE = re.compile(r"\d{4}-?(\d{2}-?\d{2}|W\d{2}-?\d)")

#: Moments outside of these years cannot be meant.
_YEARS = (1970, 2199)


def _read_date(value: Any) -> date | None:
    moment = _read_moment(value)
    return None if moment is None else moment.date()


def _read_int(value: Any) -> int | None:
    """Read whole numbers, and texts of them; a fraction may be dollars, so it is not guessed."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        return int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and abs(value) < 2**63 else None
