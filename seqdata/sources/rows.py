"""Rows as plain values, as the record keeps them: a dict a row, without what is unknown.

Moments are whole microseconds since 1970 in UTC, dates ISO texts, money whole cents. A row that is
written as JSON and read again is the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.json as pa_json

from seqdata.core.json import compact_json

Row: TypeAlias = dict[str, Any]

#: So many lines are parsed at once: Arrow takes no text of 2 GB.
_CHUNK = 100_000


def rows_of(table: pa.Table) -> list[Row]:
    """Return the rows of a table, without what is null and the organization, which is all rows'."""
    names = [name for name in table.column_names if name != "organization_id"]
    columns = {name: _plain(table[name]) for name in names}
    rows: list[Row] = [{} for _ in range(table.num_rows)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            if value is not None:
                row[name] = value
    return rows


def _plain(column: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_date(column.type):
        return [None if day is None else day.isoformat() for day in column.to_pylist()]
    return column.to_pylist()  # type: ignore[no-any-return]


def dumped(row: Row) -> str:
    """Write a row as JSON on one line; equal rows are equal texts."""
    return compact_json(row, sort_keys=True).decode()


def table_of(lines: Sequence[str], schema: pa.Schema) -> pa.Table:
    """Make a table of rows in JSON, with the columns of `schema`; what a row lacks is null."""
    parts = (lines[start : start + _CHUNK] for start in range(0, len(lines), _CHUNK))
    return pa.concat_tables([schema.empty_table(), *(_parsed(part, schema) for part in parts)])


def _parsed(lines: Sequence[str], schema: pa.Schema) -> pa.Table:
    text = "\n".join(lines).encode()
    read = pa_json.read_json(
        BytesIO(text),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=pa_json.ParseOptions(
            explicit_schema=pa.schema([one.with_type(_stored(one.type)) for one in schema]),
            unexpected_field_behavior="ignore",
        ),
    )
    return read.select(schema.names).cast(schema)


def _stored(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.int64()
    return pa.string() if pa.types.is_date(kind) else kind


def table_of_rows(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Make a table of rows; see :func:`table_of`."""
    return table_of([dumped(row) for row in rows], schema)


def with_moment(detail: Row, transfer: Row) -> Row:
    """Return a row of details with the moment that its transfer was made: it is filed by that."""
    made = {"created_at": transfer["created_at"]} if "created_at" in transfer else {}
    return {**detail, **made}


def legs_in(detail: Row) -> list[Row]:
    """Return the legs inside a row of details, with its ids."""
    return [{"id": detail["id"], **leg} for leg in detail.get("legs", ())]
