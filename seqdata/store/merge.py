"""What becomes of rows that are seen again: pure functions from tables to tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqdata.core.arrow import Column, pc
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.schemas import MOMENT, TRANSFER_HISTORY, TRANSFERS

#: One row a changed value: all text, null where there was or is nothing.
CHANGES = pa.schema([(name, pa.string()) for name in ("id", "column", "before", "after")])

_TICK = pa.scalar(1, pa.duration("us"))


@dataclass(frozen=True)
class Upsert:
    """What a write did.

    ``moved`` are the ids whose month changed. ``changes`` has a row for each value that
    changed: id, column, before, after, all text (amounts in cents, moments ISO UTC).
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: tuple[str, ...] = ()
    changes: pa.Table = field(default_factory=CHANGES.empty_table, compare=False)


@dataclass(frozen=True)
class Merged:
    """Rows as they will be written (TRANSFERS), and the versions they replace."""

    fresh: pa.Table
    versions: pa.Table
    known: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    changes: pa.Table


def conform(rows: pa.Table, schema: pa.Schema, key: Sequence[str]) -> pa.Table:
    """Bring delivered rows to `schema`; of rows with one key the last given stays.

    Raises
    ------
    UnexpectedAnswer
        A row has no key.
    """
    rows = rows.select(schema.names).cast(schema).combine_chunks()
    for name in key:
        if rows[name].null_count:
            expected = f"a value for {name} in every row"
            raise UnexpectedAnswer("a list of rows", expected, f"{rows[name].null_count} without")
    return last_of_each(rows, key)


def last_of_each(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """Of rows with one key, the last one; the others' order stays."""
    numbered = table.select(list(key)).append_column(
        "row", pa.array(np.arange(table.num_rows, dtype=np.int64))
    )
    last = numbered.group_by(list(key)).aggregate([("row", "max")])["row_max"]
    if len(last) == table.num_rows:
        return table
    return table.take(np.sort(last.to_numpy()))


def merge(old: pa.Table, rows: pa.Table, seen_at: datetime) -> Merged:
    """Set delivered rows against the rows on disk.

    A changed row's last_seen_at, and the replaced_at of the version it replaces, come after
    that version's last_seen_at and removed_at even if the clock does not: so versions have an
    order, and of a row met in two months the later one is right.

    Parameters
    ----------
    old
        TRANSFERS rows on disk, ids unique, at least all those that `rows` replace.
    rows
        TRANSFER_ROWS rows, ids unique.
    seen_at
        The service's time of the answer.
    """
    position = pc.index_in(rows["id"], value_set=old["id"].combine_chunks())
    before = old.take(position.combine_chunks())
    differing = _differing(before, rows, pc.is_valid(position), "removed_at")
    changed = _any(differing.values(), rows.num_rows)
    last_seen = _last_seen(before, changed, seen_at)
    fresh = _stamped(rows, before, last_seen, seen_at).cast(TRANSFERS)
    versions = before.append_column("replaced_at", last_seen).filter(changed)
    return Merged(
        fresh=fresh,
        versions=versions.cast(TRANSFER_HISTORY),
        known=_mask(pc.is_valid(position)),
        changed=_mask(changed),
        changes=_changes(before, fresh, differing),
    )


def removal(old: pa.Table, at: datetime) -> Merged:
    """Mark rows that are there as removed; what they were becomes an earlier version."""
    changed = pc.is_null(old["removed_at"])
    before = old.filter(changed)
    replaced = _last_seen(before, pa.scalar(True), at)
    place = before.schema.get_field_index("removed_at")
    fresh = before.set_column(place, "removed_at", replaced).cast(TRANSFERS)
    everything = {"removed_at": pa.chunked_array([np.ones(before.num_rows, bool)])}
    return Merged(
        fresh=fresh,
        versions=before.append_column("replaced_at", replaced).cast(TRANSFER_HISTORY),
        known=np.ones(before.num_rows, bool),
        changed=np.ones(before.num_rows, bool),
        changes=_changes(before, fresh, everything),
    )


def merge_accounts(old: pa.Table, rows: pa.Table, seen_at: datetime) -> tuple[pa.Table, Upsert]:
    """Set a complete list of accounts (ACCOUNT_ROWS) against those on disk (ACCOUNTS).

    Those that are not listed any more stay, closed at `seen_at`; one listed again is open.
    """
    position = pc.index_in(rows["id"], value_set=old["id"].combine_chunks())
    before = old.take(position.combine_chunks())
    differing = _differing(before, rows, pc.is_valid(position), "closed_at")
    changed = _mask(_any(differing.values(), rows.num_rows))
    fresh = _stamped(rows, before, _last_seen(before, pa.scalar(False), seen_at), seen_at)
    missing = old.filter(pc.invert(pc.is_in(old["id"], value_set=rows["id"].combine_chunks())))
    gone, closing = _closed(missing, seen_at)
    known = int(pc.sum(pc.is_valid(position)).as_py() or 0)
    report = Upsert(
        added=rows.num_rows - known,
        updated=int(changed.sum()) + closing.num_rows,
        unchanged=known - int(changed.sum()),
        changes=pa.concat_tables([_changes(before, fresh, differing), closing]),
    )
    together = pa.concat_tables([fresh, gone])
    return together.take(pc.sort_indices(together, sort_keys=[("id", "ascending")])), report


def _closed(missing: pa.Table, at: datetime) -> tuple[pa.Table, pa.Table]:
    """Set closed_at, and tell what changed by it."""
    place = missing.schema.get_field_index("closed_at")
    moment = pa.scalar(at, MOMENT)
    closed_at = pc.coalesce(missing["closed_at"], moment)
    gone = missing.set_column(place, missing.schema.field("closed_at"), closed_at)
    return gone, _changes(missing, gone, {"closed_at": pc.is_null(missing["closed_at"])})


def newest_first(table: pa.Table) -> pa.Table:
    """Sort by created_at, newest first; ties by id."""
    order = pc.sort_indices(table, sort_keys=[("created_at", "descending"), ("id", "ascending")])
    return table.take(order)


def latest_of_each_id(table: pa.Table) -> pa.Table:
    """Of rows met in two months, the one seen last; the others' order stays."""
    ids = table["id"].combine_chunks()
    if pc.count_distinct(ids).as_py() == len(ids):
        return table
    order = pc.sort_indices(table["last_seen_at"], sort_keys=[("last_seen_at", "descending")])
    first = pc.index_in(ids, value_set=ids.take(order))
    place = np.empty(len(ids), np.int64)
    place[order.to_numpy()] = np.arange(len(ids))
    return table.filter(pa.array(place == first.to_numpy()))


def _differing(before: pa.Table, rows: pa.Table, known: Column, mark: str) -> dict[str, Column]:
    compared = [name for name in rows.column_names if name != "id"]
    masks = {name: pc.and_(known, _unequal(before[name], rows[name])) for name in compared}
    return {**masks, mark: pc.is_valid(before[mark])}


def _unequal(left: Column, right: Column) -> Column:
    """Compare values, null being equal to null alone."""
    one_missing = pc.not_equal(pc.is_null(left), pc.is_null(right))
    return pc.coalesce(pc.not_equal(left, right), one_missing)


def _any(masks: Iterable[Column], rows: int) -> Column:
    found = np.zeros(rows, bool)
    for mask in masks:
        found |= _mask(mask)
    return pa.chunked_array([found])


def _last_seen(before: pa.Table, changed: object, at: datetime) -> Column:
    moment = pa.scalar(at, MOMENT)
    latest = before["last_seen_at"]
    if "removed_at" in before.column_names:
        latest = pc.coalesce(before["removed_at"], latest)
    after = pc.add(latest, _TICK)
    earliest = pc.coalesce(pc.if_else(changed, after, before["last_seen_at"]), moment)
    return pc.if_else(pc.greater(earliest, moment), earliest, moment)


def _stamped(rows: pa.Table, before: pa.Table, last_seen: Column, seen_at: datetime) -> pa.Table:
    first_seen = pc.coalesce(before["first_seen_at"], pa.scalar(seen_at, MOMENT))
    columns = [*rows.columns, first_seen, last_seen, pa.nulls(rows.num_rows, MOMENT)]
    return pa.table(columns, names=before.column_names)


def _changes(before: pa.Table, after: pa.Table, differing: dict[str, Column]) -> pa.Table:
    parts = [CHANGES.empty_table()]
    for name, mask in differing.items():
        if pc.any(mask).as_py():
            ids = after["id"].filter(mask)
            texts = (_text(table[name].filter(mask)) for table in (before, after))
            parts.append(pa.table([ids, pa.array([name] * len(ids)), *texts], schema=CHANGES))
    return pa.concat_tables(parts)


def _text(column: Column) -> Column:
    if not pa.types.is_timestamp(column.type):
        return column.cast(pa.string())
    naive = column.cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.replace_substring(naive, " ", "T"), "+00:00", "")


def _mask(mask: Column) -> NDArray[np.bool_]:
    return np.asarray(mask, dtype=bool)
