"""``transfer_history/``: earlier versions of transfers that changed."""

from __future__ import annotations

import secrets
from pathlib import Path

import pyarrow as pa

from seqdata.core.arrow import pc
from seqdata.core.files import remove_file
from seqdata.sources.schemas import TRANSFER_HISTORY
from seqdata.store.merge import last_of_each
from seqdata.store.tables import empty_table, read_table, write_table

# A version is one state of a row: what an interrupted write left twice is one version.
_VERSION = ("id", "last_seen_at", "removed_at")
_MANY_PARTS = 32
_SMALL_BYTES = 1_000_000
_TRIES = 50


class History:
    """A folder of parts, each written once; small ones are joined when there are many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, versions: pa.Table) -> None:
        """Keep earlier versions (TRANSFER_HISTORY rows); for the holder of the lock."""
        if not versions.num_rows:
            return
        small = [path for path in self._parts() if path.stat().st_size < _SMALL_BYTES]
        if len(small) < _MANY_PARTS:
            write_table(self._new_part(), versions)
            return
        old = [read_table(path, TRANSFER_HISTORY) for path in small]
        write_table(self._new_part(), _in_order(pa.concat_tables([*old, versions])))
        for path in small:
            remove_file(path)

    def read(self, id: str | None = None) -> pa.Table:  # noqa: A002  # the column's name
        """All versions (TRANSFER_HISTORY), or those of one id, by id, then the oldest first."""
        for _ in range(_TRIES):
            try:
                parts = [_read_part(path, id) for path in self._parts()]
                break
            except FileNotFoundError:  # joined by a writer between listing and reading
                continue
        else:
            parts = []
        return _in_order(pa.concat_tables([empty_table(TRANSFER_HISTORY), *parts]))

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("part-*.parquet"))

    def _new_part(self) -> Path:
        return self._folder / f"part-{secrets.token_hex(8)}.parquet"


def _read_part(path: Path, wanted: str | None) -> pa.Table:
    versions = read_table(path, TRANSFER_HISTORY)
    return versions if wanted is None else versions.filter(pc.equal(versions["id"], wanted))


def _in_order(versions: pa.Table) -> pa.Table:
    order = [("id", "ascending"), ("replaced_at", "ascending")]
    ordered = versions.take(pc.sort_indices(versions, sort_keys=order))
    return last_of_each(ordered.combine_chunks(), _VERSION)
