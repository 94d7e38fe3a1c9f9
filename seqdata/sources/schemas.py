"""The tables' columns and types, in the order they are written.

Money is ``int64`` whole cents, null where unknown. Moments are UTC microseconds. Text is
``string``. What is unknown is null, never zero and never an empty text.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

#: Raised when a table changes so that an older seqdata could not read it.
SCHEMA_VERSION = 1

MOMENT = pa.timestamp("us", "UTC")


def _schema(text: str) -> pa.Schema:
    """Read ``name`` or ``name:kind`` words; a word without a kind is text."""
    kinds: dict[str, pa.DataType] = {
        "": pa.string(),
        "cents": pa.int64(),
        "moment": MOMENT,
        "date": pa.date32(),
    }
    pairs = (word.partition(":") for word in text.split())
    return pa.schema([(name, kinds[kind]) for name, _, kind in pairs])


#: What a source delivers about a transfer. Key: id.
TRANSFER_ROWS = _schema(
    "organization_id id type status error_reason created_at:moment updated_at:moment "
    "amount_cents:cents source_id source_name source_kind destination_id destination_name "
    "destination_kind direction activity_type description"
)

#: One row a transfer, as last seen. Key: id.
TRANSFERS = pa.schema(
    [
        *TRANSFER_ROWS,
        *_schema("first_seen_at:moment last_seen_at:moment removed_at:moment"),
    ]
)

#: Earlier versions of transfers that changed. Key: id, replaced_at.
TRANSFER_HISTORY = pa.schema([*TRANSFERS, *_schema("replaced_at:moment")])

#: All versions of a transfer, and when each held; the present one has no valid_until.
VERSIONS = pa.schema([*TRANSFERS, *_schema("valid_from:moment valid_until:moment")])

#: What made a transfer. Key: id.
DETAILS = _schema("organization_id id kind rule_trigger_type rule_trigger_cron fetched_at:moment")

#: The steps of a compound transfer. Key: id, leg.
LEGS = _schema(
    "organization_id id leg status created_at:moment completed_at:moment expected_on:date"
)


def _worded(schema: pa.Schema) -> pa.Schema:
    """Return what a table holds once it is read: our words beside the service's."""
    fields: list[pa.Field[Any]] = []
    for one in schema:
        fields.append(one.with_name(PARTY_COLUMNS.get(one.name, one.name)))
        fields += [pa.field(name, pa.string()) for name in _ADDED.get(one.name, ())]
    return pa.schema(fields)


#: Columns that hold the service's word for a party on the disk, and ours once they are read.
PARTY_COLUMNS = {
    "source_kind": "source_party",
    "destination_kind": "destination_party",
}

#: Columns of ours that are made of the service's words when a table is read, and after which.
_ADDED = {"status": ("state",), "activity_type": ("kind",)}

#: Transfers, their versions and legs as they are read: ``state``, ``kind`` and the parties are
#: words of :mod:`seqdata.sources.vocabulary`.
READ_ROWS = _worded(TRANSFER_ROWS)
READ_TRANSFERS = _worded(TRANSFERS)
READ_HISTORY = _worded(TRANSFER_HISTORY)
READ_VERSIONS = _worded(VERSIONS)
READ_LEGS = _worded(LEGS)

#: What a source delivers about an account. Key: id.
ACCOUNT_ROWS = _schema(
    "organization_id id kind name type provider_type institution goal_cents:cents "
    "linked_account_id created_at:moment"
)

#: One row an account, as last seen; closed ones stay. Key: id.
ACCOUNTS = pa.schema(
    [*ACCOUNT_ROWS, *_schema("first_seen_at:moment last_seen_at:moment closed_at:moment")]
)

#: Observed balances. Key: account_id, as_of; a statement's counts before a sync's.
BALANCES = _schema("organization_id account_id as_of:moment balance_cents:cents origin")

#: What a person noted about a transfer; never of the service. Key: id.
ANNOTATIONS = _schema("organization_id id category note annotated_at:moment")

#: Text columns that hold few values: categories in DataFrames.
CATEGORIES = frozenset(
    {
        "organization_id",
        "type",
        "status",
        "source_kind",
        "source_party",
        "destination_kind",
        "destination_party",
        "state",
        "direction",
        "activity_type",
        "kind",
        "provider_type",
        "origin",
        "leg",
        "rule_trigger_type",
    }
)
