"""The service's nodes as columns of the store's tables.

Nodes are read as they were sent: what is missing is null, never zero. Values of a type that
was not expected are kept where they can be read, and noted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from seqdata.arrow import Column
from seqdata.exceptions import UnexpectedAnswer
from seqdata.schemas import ACCOUNT_ROWS, BALANCES, DETAILS, LEGS, MOMENT, TRANSFER_ROWS
from seqdata.timestamps import parse_timestamp
from seqdata.types import ActivityType, Direction, TransferStatus

log = logging.getLogger("seqdata")

Node = dict[str, Any]


@dataclass
class Drift:
    """What the service sent that this version does not know, each once.

    Holds texts such as ``status=UNDER_REVIEW`` and ``amount.cents: str``.
    """

    seen: dict[str, int] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """Count a finding; log its first appearance."""
        if what not in self.seen:
            log.info("not seen before: %s", what)
        self.seen[what] = self.seen.get(what, 0) + 1


def transfer_table(nodes: list[Node], organization_id: str, drift: Drift) -> pa.Table:
    """Turn transfer nodes into a table of TRANSFER_ROWS; what is missing is null."""
    columns: dict[str, list[Any]] = {
        "organization_id": [organization_id] * len(nodes),
        "amount_cents": [(node.get("amount") or _NOTHING).get("cents") for node in nodes],
    }
    for name, key in _TRANSFER_KEYS.items():
        columns[name] = [node.get(key) for node in nodes]
    for end in ("source", "destination"):
        parties = [node.get(end) or _NOTHING for node in nodes]
        columns[f"{end}_id"] = [party.get("id") for party in parties]
        columns[f"{end}_name"] = [party.get("name") for party in parties]
        columns[f"{end}_kind"] = [party.get("__typename") for party in parties]
    if None in columns["id"]:
        raise UnexpectedAnswer("a page of transfers", "an id in each", "a transfer without one")
    _note_unknown(columns, drift)
    return _table(TRANSFER_ROWS, columns, drift)


def account_tables(
    nodes: list[tuple[str, Node]], organization_id: str, served_at: datetime, drift: Drift
) -> tuple[pa.Table, pa.Table]:
    """Turn pairs of kind and account node into ACCOUNT_ROWS and the BALANCES that are known."""
    organization = [organization_id] * len(nodes)
    cents = [_balance(node) for _, node in nodes]
    balances = {
        "organization_id": organization,
        "account_id": [node["id"] for _, node in nodes],
        "as_of": [served_at] * len(nodes),
        "balance_cents": cents,
        "origin": ["sync"] * len(nodes),
    }
    accounts = {name: [read(node) for _, node in nodes] for name, read in _ACCOUNT.items()}
    accounts |= {"organization_id": organization, "kind": [kind for kind, _ in nodes]}
    known = pa.array([value is not None for value in cents], pa.bool_())
    return _table(ACCOUNT_ROWS, accounts, drift), _table(BALANCES, balances, drift).filter(known)


def detail_tables(
    nodes: list[Node], organization_id: str, served_at: datetime, drift: Drift
) -> tuple[pa.Table, pa.Table]:
    """Turn transfer nodes into tables of DETAILS (one row each) and LEGS (one a payment)."""
    kinds = [_detail_kind(node, drift) for node in nodes]
    rules = [node.get("ruleDetails") or _NOTHING for node in nodes]
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
        for node in nodes
        for leg, key in _LEG_KEYS.items()
        if (payment := (node.get("details") or _NOTHING).get(key))
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
    return _table(DETAILS, details, drift), _table(LEGS, legs, drift)


_NOTHING: Node = {}

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


def _balance(node: Node) -> int | None:
    balance = (node.get("metadata") or _NOTHING).get("balance") or _NOTHING
    return balance.get("cents")


def _institution(node: Node) -> str | None:
    named = (node.get("metadata") or _NOTHING).get("institution") or _NOTHING
    return node.get("institutionName") or named.get("name")


_ACCOUNT: dict[str, Callable[[Node], Any]] = {
    "id": lambda node: node["id"],
    "name": lambda node: node.get("name"),
    "type": lambda node: node.get("type"),
    "provider_type": lambda node: node.get("providerType"),
    "institution": _institution,
    "goal_cents": lambda node: node.get("goalAmountInCents"),
    "linked_account_id": lambda node: node.get("linkedAccountId"),
    "created_at": lambda node: node.get("createdAt"),
}


def _detail_kind(node: Node, drift: Drift) -> str | None:
    typename = (node.get("details") or _NOTHING).get("__typename")
    if typename is not None and typename not in _DETAIL_KINDS:
        drift.note(f"details={typename}")
    return _DETAIL_KINDS.get(typename or "")


def _note_unknown(columns: dict[str, list[Any]], drift: Drift) -> None:
    for name, known in _KNOWN_VALUES.items():
        for value in set(map(str, columns[name])) - known - {"None"}:
            drift.note(f"{name}={value}")


def _table(schema: pa.Schema, columns: dict[str, list[Any]], drift: Drift) -> pa.Table:
    arrays = [_array(columns[column.name], column, drift) for column in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: list[Any], column: pa.Field[Any], drift: Drift) -> Column:
    """Build a column; values of another type than documented are read where they can be."""
    try:
        if column.type == MOMENT and not any(isinstance(value, datetime) for value in values):
            return pa.array(values, pa.string()).cast(MOMENT)
        if pa.types.is_date32(column.type):
            return pa.array(values, pa.string()).cast(column.type)
        return pa.array(values, column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_read(value, column, drift) for value in values], column.type)


def _read(value: Any, column: pa.Field[Any], drift: Drift) -> Any:
    if value is None:
        return None
    read = _tolerant_reader(column.type)(value)
    exact = type(read) is type(value) or (column.type == MOMENT and isinstance(value, str))
    if read is None or not exact:
        drift.note(f"{column.name}: {type(value).__name__} {'unreadable' if read is None else ''}")
    return read


def _tolerant_reader(kind: pa.DataType) -> Callable[[Any], Any]:
    if kind == MOMENT:
        return _read_moment
    if pa.types.is_date32(kind):
        return _read_date
    if pa.types.is_int64(kind):
        return _read_int
    return str


def _read_moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    if moment := parse_timestamp(value):
        return moment
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


def _read_date(value: Any) -> date | None:
    moment = _read_moment(value)
    return None if moment is None else moment.date()


def _read_int(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?\d{1,18}", value, re.ASCII) else None
    return int(value) if value == int(value) and abs(value) < 2**63 else None
