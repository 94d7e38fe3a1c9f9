"""``details/`` and ``legs/``, by months like transfers: cheap to write one by one.

Details stay in the month their transfer was in when they were first learned (``month=unknown``
where the transfer is not here); a transfer that moves does not take them along, since they are
found by id. Legs are written before details, so that a transfer with details has its legs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.core.files import remove_file
from seqdata.sources.schemas import DETAILS, LEGS
from seqdata.store.index import NOWHERE, Hashes, MonthIndex, Months, hash_ids
from seqdata.store.months import month_files, month_path, month_stamp
from seqdata.store.tables import empty_table, read_table, write_table

_FIRST_LAYOUT = "data.parquet"  # where everything was before there were months


class DetailsWriter:
    """Writes details and legs of one cache; for the holder of its lock, while it is held.

    Parameters
    ----------
    folder
        The organization's.
    months_of
        Tells the months of transfers by the hashes of their ids; UNKNOWN for others.
    """

    def __init__(self, folder: Path, months_of: Callable[[Hashes], Months]) -> None:
        self._details, self._legs = folder / "details", folder / "legs"
        self._months_of = months_of
        self._index = MonthIndex(folder / "index" / "details")
        self._heal()
        self._file_first_layout()

    def upsert(self, details: pa.Table, legs: pa.Table) -> None:
        """Take details (DETAILS, ids unique) and all legs of their transfers (LEGS)."""
        hashes = hash_ids(details["id"])
        known = self._index.lookup(hashes)
        new = known == NOWHERE
        months = np.where(new, self._months_of(hashes), known).astype(np.int32)
        touched = np.unique(months).tolist()
        for month in touched:
            self._write_month(month, details.filter(months == month), legs)
        stamps = {month: month_stamp(self._details, month) for month in touched}
        self._index.note(hashes[new], months[new], stamps)

    def _write_month(self, month: int, details: pa.Table, legs: pa.Table) -> None:
        ids = details["id"].combine_chunks()
        _replace(month_path(self._legs, month), LEGS, _rows_of(legs, ids), ids)
        _replace(month_path(self._details, month), DETAILS, details, ids)

    def _heal(self) -> None:
        """Bring the index up to the months' files."""
        for month, stamp in month_files(self._details).items():
            if self._index.stamps.get(month) != stamp:
                ids = read_table(month_path(self._details, month), DETAILS, ["id"])["id"]
                months = np.full(len(ids), month, np.int32)
                self._index.note(hash_ids(ids), months, {month: stamp})

    def _file_first_layout(self) -> None:
        """Take over what an earlier seqdata kept in one file."""
        paths = [folder / _FIRST_LAYOUT for folder in (self._details, self._legs)]
        if paths[0].exists():
            details, legs = _read_file(paths[0], DETAILS), _read_file(paths[1], LEGS)
            known = self._index.lookup(hash_ids(details["id"])) != NOWHERE
            self.upsert(details.filter(~known), legs)
        for path in paths:
            if path.exists():
                remove_file(path)


def read_details(folder: Path, ids: Iterable[str] | None) -> pa.Table:
    """Read details of an organization's folder, by id."""
    return _read(folder / "details", DETAILS, ids, ["id"])


def read_legs(folder: Path, ids: Iterable[str] | None) -> pa.Table:
    """Read legs of an organization's folder, by id and leg."""
    return _read(folder / "legs", LEGS, ids, ["id", "leg"])


def _read(folder: Path, schema: pa.Schema, ids: Iterable[str] | None, key: list[str]) -> pa.Table:
    wanted = None if ids is None else pa.array(list(ids), pa.string())
    tables = [empty_table(schema)]
    for path in (month_path(folder, month) for month in month_files(folder)):
        rows = _read_file(path, schema)
        tables.append(rows if wanted is None else _rows_of(rows, wanted))
    table = pa.concat_tables([*tables, *_first_layout(folder, schema, wanted, tables)])
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in key]))


def _first_layout(
    folder: Path, schema: pa.Schema, wanted: Column | None, filed: list[pa.Table]
) -> list[pa.Table]:
    """Read rows that no writer has filed by month yet."""
    path = folder / _FIRST_LAYOUT
    if not path.exists():
        return []
    rows = _read_file(path, schema)
    known = pa.concat_tables(filed)["id"].combine_chunks()
    rows = rows.filter(pc.invert(pc.is_in(rows["id"], value_set=known)))
    return [rows if wanted is None else _rows_of(rows, wanted)]


def _replace(path: Path, schema: pa.Schema, rows: pa.Table, ids: Column) -> None:
    old = _read_file(path, schema)
    others = pc.invert(pc.is_in(old["id"], value_set=ids))
    kept = old.filter(others)
    if rows.num_rows == 0 and kept.num_rows == old.num_rows:
        return
    table = pa.concat_tables([kept, rows])
    key = [name for name in ("id", "leg") if name in schema.names]
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in key])
    write_table(path, table.take(order))


def _rows_of(rows: pa.Table, ids: Column) -> pa.Table:
    return rows.filter(pc.is_in(rows["id"], value_set=ids))


def _read_file(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return read_table(path, schema)
    except FileNotFoundError:
        return empty_table(schema)
