"""What is on this disk of one organization: its record, and the tables published from it.

The record is a SQLite database that holds what the sources said, a version a change. The tables
are plain Parquet files that pandas, DuckDB, Polars, Dask and Spark read as they are; each is whole
at any moment, and all of them can be made again from the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.store.state import SyncState, Unfinished
    from seqdata.store.store import Store
    from seqdata.store.versions import Upsert

__all__ = ["Store", "SyncState", "Unfinished", "Upsert"]

_HOMES = {"Store": "store", "SyncState": "state", "Unfinished": "state", "Upsert": "versions"}

__getattr__ = lazy_names(__name__, _HOMES)
