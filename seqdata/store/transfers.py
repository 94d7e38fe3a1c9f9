"""``transfers/month=YYYY-MM/data.parquet``: merge by id, months kept apart.

Order of a write: earlier versions first, then months that gain rows, then the index, then
months that lose them. Wherever it stops, each row is somewhere, and one that is in two months
is told apart by last_seen_at: a reader takes the later, and the next write removes the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqdata.core.arrow import Column, pc
from seqdata.core.files import remove_file, write_bytes
from seqdata.sources.schemas import MOMENT, TRANSFER_ROWS, TRANSFERS
from seqdata.sources.webapp.words import FINAL_STATUSES
from seqdata.store.history import History
from seqdata.store.index import NOWHERE, Hashes, MonthIndex, Months, hash_ids
from seqdata.store.merge import (
    Merged,
    Upsert,
    conform,
    latest_of_each_id,
    merge,
    newest_first,
    removal,
)
from seqdata.store.months import (
    UNKNOWN,
    month_files,
    month_of,
    month_path,
    month_stamp,
    months_of,
)
from seqdata.store.tables import (
    count_rows,
    empty_table,
    read_facts,
    read_table,
    write_table,
)

_TRIES = 3

# There while rows move between months: a reader need only then look for rows met twice.
_MOVING = ".moving"


@dataclass(frozen=True)
class _Before:
    """The rows of some months as they are on disk, and the month each lies in."""

    rows: pa.Table
    months: Months


class TransferWriter:
    """Writes the transfers of one cache; for the holder of its lock, as long as it is held."""

    def __init__(self, folder: Path, history: History, index_folder: Path) -> None:
        self._folder = folder
        self._history = history
        self._index = MonthIndex(index_folder)
        self._heal()

    def upsert(self, rows: pa.Table, seen_at: datetime) -> Upsert:
        """Merge delivered rows (TRANSFER_ROWS) by id."""
        rows = conform(rows, TRANSFER_ROWS, ["id"])
        months, hashes = months_of(rows["created_at"]), hash_ids(rows["id"])
        before = self._read(np.concatenate([months, self._index.lookup(hashes)]))
        merged = merge(before.rows, rows, seen_at)
        moved = self._write(before, merged, months, hashes)
        changed, known = int(merged.changed.sum()), int(merged.known.sum())
        return Upsert(
            added=rows.num_rows - known,
            updated=changed,
            unchanged=known - changed,
            moved=tuple(moved),
            changes=merged.changes,
        )

    def mark_removed(self, ids: Iterable[str], at: datetime) -> Upsert:
        """Mark rows as removed from the service; ids that are not there are passed over."""
        wanted = pa.array(list(ids), pa.string())
        before = self._read(self._index.lookup(hash_ids(wanted)))
        found = before.rows.filter(pc.is_in(before.rows["id"], value_set=wanted))
        merged = removal(found, at)
        months = months_of(merged.fresh["created_at"])
        self._write(before, merged, months, hash_ids(merged.fresh["id"]))
        marked = merged.fresh.num_rows
        return Upsert(updated=marked, unchanged=found.num_rows - marked, changes=merged.changes)

    def months_of(self, hashes: Hashes) -> Months:
        """Tell the months of transfers by the hashes of their ids; UNKNOWN for others."""
        months = self._index.lookup(hashes)
        return np.where(months == NOWHERE, UNKNOWN, months).astype(np.int32)

    def _read(self, months: Months) -> _Before:
        wanted = [int(month) for month in np.unique(months) if month != NOWHERE]
        tables = [read_month(self._folder, month) for month in wanted]
        repeated = np.repeat(wanted, [table.num_rows for table in tables]).astype(np.int32)
        return _Before(pa.concat_tables([empty_table(TRANSFERS), *tables]), repeated)

    def _write(self, before: _Before, merged: Merged, months: Months, hashes: Hashes) -> list[str]:
        """Write what changed; return the ids that left their month."""
        self._history.append(merged.versions)
        place = _place(before.rows["id"], merged.fresh["id"])
        replaced = place >= 0
        leaving = replaced & (months[place] != before.months) if len(months) else replaced
        if leaving.any():
            write_bytes(self._folder / _MOVING, b"")
        for month in np.unique(months):
            kept = (before.months == month) & (~replaced | leaving)
            self._write_month(before.rows.filter(kept), merged.fresh, months, int(month))
        left = np.unique(before.months[leaving])
        self._note(hashes, months, unsettled=left)
        for month in left:
            kept = (before.months == month) & ~replaced
            self._write_month(before.rows.filter(kept), merged.fresh, months, int(month))
        if len(left):
            self._note(hashes[:0], left)
            remove_file(self._folder / _MOVING)
        left_ids: list[str] = before.rows.filter(leaving)["id"].to_pylist()  # type: ignore[assignment]
        return left_ids

    def _write_month(self, kept: pa.Table, fresh: pa.Table, months: Months, month: int) -> None:
        rows = pa.concat_tables([kept, fresh.filter(months == month)])
        path = month_path(self._folder, month)
        if rows.num_rows:
            write_table(path, newest_first(rows), {_OPEN: _open_words(rows)})
        else:
            remove_file(path)

    def _note(self, hashes: Hashes, months: Months, unsettled: Iterable[int] = ()) -> None:
        new = self._index.lookup(hashes) != months[: len(hashes)]
        stamps = {month: month_stamp(self._folder, month) for month in np.unique(months).tolist()}
        # A month that still has to lose rows is unknown to the index, so that a writer who
        # finds it after an interruption looks into it.
        stamps.update({int(month): None for month in unsettled})
        self._index.note(hashes[new], months[: len(hashes)][new], stamps)

    def _heal(self) -> None:
        """Bring the index up to the months' files, and end a move that was cut short."""
        found = month_files(self._folder)
        for month, stamp in found.items():
            if self._index.stamps.get(month) != stamp:
                self._heal_month(month)
        remove_file(self._folder / _MOVING)

    def _heal_month(self, month: int) -> None:
        rows = read_month(self._folder, month, ["id"])
        hashes = hash_ids(rows["id"])
        noted = self._index.lookup(hashes)
        others = np.unique(noted[(noted != month) & (noted != NOWHERE)])
        for other in others.tolist():
            self._settle(month, other)
        if len(others):
            hashes = hash_ids(read_month(self._folder, month, ["id"])["id"])
        self._note_month(hashes, month)

    def _settle(self, month: int, other: int) -> None:
        """Of rows that lie in two months, leave the one seen last."""
        both = self._read(np.array([month, other], np.int32))
        numbered = both.rows.append_column("month", pa.array(both.months))
        settled = latest_of_each_id(numbered)
        if settled.num_rows == numbered.num_rows:
            return
        for each in (month, other):
            rows = settled.filter(pc.equal(settled["month"], each)).drop_columns("month")
            self._write_month(rows, empty_table(TRANSFERS), np.empty(0, np.int32), each)
            self._note_month(hash_ids(rows["id"]), each)

    def _note_month(self, hashes: Hashes, month: int) -> None:
        stamps = {month: month_stamp(self._folder, month)}
        new = self._index.lookup(hashes) != month
        self._index.note(hashes[new], np.full(int(new.sum()), month, np.int32), stamps)


def read_month(
    folder: Path,
    month: int,
    columns: Sequence[str] | None = None,
    *,
    dictionaries: bool = False,
) -> pa.Table:
    """Read one month (TRANSFERS rows); no rows where it has no file."""
    try:
        return read_table(month_path(folder, month), TRANSFERS, columns, dictionaries=dictionaries)
    except FileNotFoundError:
        return empty_table(TRANSFERS, columns)


def read_transfers(
    folder: Path,
    *,
    since: datetime | None,
    until: datetime | None,
    columns: Sequence[str],
    include_removed: bool,
    dictionaries: bool,
) -> pa.Table:
    """Read rows of a time, newest first, ties by id; see ``Store.read_transfers``."""
    needed = _needed(columns, since, until, include_removed)
    table = _read_steadily(folder, needed, since, until, dictionaries)
    keep = _wanted(table, since, until, include_removed)
    return (table if keep is None else table.filter(keep)).select(list(columns))


def read_transfer(folder: Path, id: str) -> pa.Table:  # noqa: A002  # the column's name
    """Read the row of one transfer (TRANSFERS), removed or not; no row where it is not here."""
    found = [empty_table(TRANSFERS)]
    for month in month_files(folder):
        if pc.any(pc.equal(read_month(folder, month, ["id"])["id"], id)).as_py():
            rows = read_month(folder, month)
            found.append(rows.filter(pc.equal(rows["id"], id)))
            if not (folder / _MOVING).exists():
                break
    return latest_of_each_id(pa.concat_tables(found))


def count_transfers(folder: Path, *, include_removed: bool) -> int:
    """Count rows by the files' metadata, in which the rows without removed_at are counted."""
    if (folder / _MOVING).exists():
        rows = read_transfers(
            folder,
            since=None,
            until=None,
            columns=["id"],
            include_removed=include_removed,
            dictionaries=False,
        )
        return rows.num_rows
    count = partial(_count_month, folder, include_removed=include_removed)
    return sum(map(count, month_files(folder)))


def _count_month(folder: Path, month: int, *, include_removed: bool) -> int:
    try:
        rows, nulls = count_rows(month_path(folder, month), TRANSFERS, "removed_at")
    except FileNotFoundError:
        return 0
    return rows if include_removed else nulls


def read_open(folder: Path, columns: Sequence[str]) -> pa.Table:
    """Read rows that are not final and not removed; of months without one, the metadata alone."""
    final_statuses = pa.array(sorted(FINAL_STATUSES), pa.string())
    needed = [name for name in TRANSFERS.names if name in {*columns, *_OPEN_NEEDS}]
    read = partial(_open_month, folder, columns=needed, final=final_statuses)
    tables = [empty_table(TRANSFERS, needed), *map(read, month_files(folder))]
    table = pa.concat_tables(tables)
    if (folder / _MOVING).exists():
        table = latest_of_each_id(table)
    return table.select(list(columns))


_OPEN_NEEDS = ("id", "status", "last_seen_at", "removed_at")


#: A month's file says in its metadata how many of its rows are open, and what counted as final.
_OPEN = "seqdata.open"
_FINAL = ",".join(sorted(FINAL_STATUSES))


def _open_words(rows: pa.Table) -> str:
    final = pc.is_in(rows["status"], value_set=pa.array(sorted(FINAL_STATUSES), pa.string()))
    is_open = pc.and_(pc.invert(final), pc.is_null(rows["removed_at"]))
    return f"{pc.sum(is_open).as_py() or 0} but {_FINAL}"


def _open_month(folder: Path, month: int, columns: Sequence[str], final: Column) -> pa.Table:
    try:
        facts = read_facts(month_path(folder, month))
    except FileNotFoundError:
        return empty_table(TRANSFERS, columns)
    if facts.get(_OPEN) == f"0 but {_FINAL}":
        return empty_table(TRANSFERS, columns)
    statuses = read_month(folder, month, ["status"], dictionaries=True)
    if not _any_open(statuses, final):
        return empty_table(TRANSFERS, columns)
    rows = read_month(folder, month, columns)
    is_open = pc.invert(pc.is_in(rows["status"], value_set=final))
    return rows.filter(pc.and_(is_open, pc.is_null(rows["removed_at"])))


def _any_open(statuses: pa.Table, final: Column) -> bool:
    if statuses["status"].null_count:
        return True
    chunks: list[Column] = statuses["status"].chunks
    kinds = (chunk.dictionary for chunk in chunks)
    return any(not pc.all(pc.is_in(each, value_set=final)).as_py() for each in kinds)


def newest_created_at(folder: Path) -> datetime | None:
    """Tell the created_at of the newest transfer; months are read until one has any."""
    for month in month_files(folder):
        rows = read_month(folder, month, ["created_at", "removed_at"])
        kept = rows["created_at"].filter(pc.is_null(rows["removed_at"]))
        newest: datetime | None = pc.max(kept).as_py()
        if newest is not None:
            return newest
    return None


def _read_steadily(
    folder: Path,
    columns: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    dictionaries: bool,
) -> pa.Table:
    """Read the months between two looks at their stamps; once more if a writer came between.

    Where a writer comes between each time, what any look saw counts: a row that moves to a month
    that was read already is seen by the next look.
    """
    read = partial(read_month, folder, columns=columns, dictionaries=dictionaries)
    tables: list[pa.Table] = []
    for _ in range(_TRIES):
        stamps = month_files(folder)
        months = [month for month in stamps if _touches(month, since, until)]
        found = [table for table in map(read, months) if table.num_rows]
        moving = (folder / _MOVING).exists()
        steady = month_files(folder) == stamps
        tables = found if steady else [*tables, *found]
        if steady:
            break
    table = pa.concat_tables(tables) if tables else empty_table(TRANSFERS, columns)
    return latest_of_each_id(table) if moving or not steady else table


def _touches(month: int, since: datetime | None, until: datetime | None) -> bool:
    if month == UNKNOWN:
        return since is None and until is None
    after = since is None or month >= month_of(since)
    return after and (until is None or month <= month_of(until))


def _needed(
    columns: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    include_removed: bool,
) -> list[str]:
    extra = {"id", "last_seen_at"}
    if since is not None or until is not None:
        extra.add("created_at")
    if not include_removed:
        extra.add("removed_at")
    return [name for name in TRANSFERS.names if name in extra or name in columns]


def _wanted(
    table: pa.Table, since: datetime | None, until: datetime | None, include_removed: bool
) -> Column | None:
    masks = []
    if since is not None:
        masks.append(pc.greater_equal(table["created_at"], pa.scalar(since, MOMENT)))
    if until is not None:
        masks.append(pc.less(table["created_at"], pa.scalar(until, MOMENT)))
    if not include_removed and table["removed_at"].null_count < table.num_rows:
        masks.append(pc.is_null(table["removed_at"]))
    if not masks:
        return None
    keep = masks[0]
    for mask in masks[1:]:
        keep = pc.and_(keep, mask)
    return keep


def _place(ids: Column, among: Column) -> NDArray[np.int64]:
    """Where each id is in `among`; -1 where it is not."""
    found = pc.index_in(ids, value_set=among.combine_chunks())
    return np.asarray(pc.fill_null(found, -1), dtype=np.int64)
