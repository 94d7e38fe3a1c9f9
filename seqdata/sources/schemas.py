"""The tables' columns and types, in the order they are written.

Money is ``int64`` whole cents, null where unknown. Moments are UTC microseconds. Text is
``string``. What is unknown is null, never zero and never an empty text.
"""

from __future__ import annotations

import pyarrow as pa

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


#: What a source delivers about a transfer. ``state``, ``kind``, ``direction`` and the parties are
#: words of :mod:`seqdata.sources.vocabulary`, the others the source's own. ``settled_at`` and
#: ``returned_at`` are what the source said of the money, null where it said nothing. Key: id.
TRANSFER_ROWS = _schema(
    "organization_id id type status state error_reason created_at:moment updated_at:moment "
    "settled_at:moment returned_at:moment amount_cents:cents source_id source_name source_party "
    "destination_id destination_name destination_party direction activity_type kind description"
)

#: ``missing_since``: a reading that should have shown it did not, since then; it is not known
#: to be gone.
_KEPT = _schema(
    "read_from first_seen_at:moment changed_at:moment missing_since:moment removed_at:moment"
)

#: One row a transfer, as it is on the disk. Key: id.
TRANSFERS = pa.schema([*TRANSFER_ROWS, *_KEPT])

#: One row a transfer, as it is read: also when a source last said it. Key: id.
READ_TRANSFERS = pa.schema([*TRANSFERS, *_schema("confirmed_at:moment")])

#: Earlier versions of transfers that changed, and when each held. Key: id, valid_from.
TRANSFER_HISTORY = pa.schema([*TRANSFERS, *_schema("valid_from:moment valid_until:moment")])

#: What made a transfer. Key: id.
DETAILS = _schema("organization_id id kind rule_trigger_type rule_trigger_cron fetched_at:moment")

#: The steps of a compound transfer. Key: id, leg.
LEGS = _schema(
    "organization_id id leg status state created_at:moment completed_at:moment expected_on:date"
)

#: Columns that the service's words have, as in the first version, and those of ours.
PARTY_COLUMNS = {
    "source_kind": "source_party",
    "destination_kind": "destination_party",
}

#: What a source delivers about an account. Key: id.
ACCOUNT_ROWS = _schema(
    "organization_id id kind name type provider_type institution goal_cents:cents "
    "linked_account_id created_at:moment"
)

#: One row an account, as last seen; closed ones stay. Key: id.
ACCOUNTS = pa.schema(
    [
        *ACCOUNT_ROWS,
        *_schema(
            "read_from first_seen_at:moment changed_at:moment missing_since:moment closed_at:moment"
        ),
    ]
)

#: Observed balances: the first and the last moment at which a balance was seen so. Key:
#: account_id, as_of; a statement's counts before a sync's.
BALANCES = _schema(
    "organization_id account_id as_of:moment confirmed_at:moment balance_cents:cents origin"
)

#: What a person noted about a transfer; never of the service. Key: id. ``split`` is a JSON object
#: of categories, each with its whole cents, that add up to the transfer.
ANNOTATIONS = _schema("organization_id id category note split annotated_at:moment")

#: Columns that files of before may lack, by which a record is taken up again.
ADDED = frozenset({"split", "settled_at", "returned_at", "missing_since"})

#: The syncs: what each read, and when that was so. Key: run.
RUNS = pa.schema(
    [
        ("run", pa.int64()),
        *_schema(
            "organization_id kind read_from began_at:moment ended_at:moment since:moment "
            "read_at:moment asked"
        ),
    ]
)

#: Earlier versions of what is no transfer, with all columns as JSON. Key: stream, id, valid_from.
EARLIER = _schema(
    "organization_id stream id read_from first_seen_at:moment valid_from:moment "
    "valid_until:moment removed_at:moment row"
)

#: What accounts were called before.
ACCOUNT_NAMES = _schema("id name valid_until:moment")

#: Text columns that hold few values: categories in DataFrames.
CATEGORIES = frozenset(
    {
        "organization_id",
        "type",
        "status",
        "source_party",
        "destination_party",
        "state",
        "direction",
        "activity_type",
        "kind",
        "provider_type",
        "read_from",
        "origin",
        "leg",
        "rule_trigger_type",
    }
)
