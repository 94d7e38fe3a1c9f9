"""Parquet tables of one organization, on this disk.

Plain files that pandas, DuckDB, Polars, Dask and Spark read as they are; each is whole at any
moment, and a row that changes leaves its earlier version in a table of its own.
"""

from __future__ import annotations

from seqdata.sources.schemas import (
    ACCOUNT_ROWS,
    ACCOUNTS,
    ANNOTATIONS,
    BALANCES,
    DETAILS,
    LEGS,
    SCHEMA_VERSION,
    TRANSFER_HISTORY,
    TRANSFER_ROWS,
    TRANSFERS,
    VERSIONS,
)
from seqdata.store.archive import Archive, Record
from seqdata.store.frames import accounts_frame, balances_frame, query_frame, transfers_frame
from seqdata.store.merge import Upsert
from seqdata.store.state import FirstSync, SyncState
from seqdata.store.store import Store

__all__ = [
    "ACCOUNTS",
    "ACCOUNT_ROWS",
    "ANNOTATIONS",
    "BALANCES",
    "DETAILS",
    "LEGS",
    "SCHEMA_VERSION",
    "TRANSFERS",
    "TRANSFER_HISTORY",
    "TRANSFER_ROWS",
    "VERSIONS",
    "Archive",
    "FirstSync",
    "Record",
    "Store",
    "SyncState",
    "Upsert",
    "accounts_frame",
    "balances_frame",
    "query_frame",
    "transfers_frame",
]
