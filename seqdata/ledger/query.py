"""SQL over a ledger's tables, and its tables by their names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from inspect import signature
from typing import Any

import pandas as pd
import pyarrow as pa

from seqdata.exceptions import InvalidFilter, InvalidQuery, MissingExtra
from seqdata.sources.schemas import PARTY_COLUMNS
from seqdata.store.frames import query_frame

#: The tables of a ledger by name, and the method or property that makes each.
TABLES = {
    "transfers": "transfers_where",
    "balances": "balances_where",
    "accounts": "accounts",
    "pods": "pods",
    "details": "details",
    "legs": "legs",
    "annotations": "annotations",
    "categorized": "categorized",
    "balance_history": "balance_history",
    "reconcile": "reconcile",
    "cash_flow": "cash_flow",
    "spending": "spending",
    "uncategorized": "uncategorized",
    "money_flow": "money_flow",
    "recurring": "recurring",
    "upcoming": "upcoming",
    "projected_balances": "projected_balances",
    "rules": "rules",
}


def table_of(ledger: Any, table: str, filters: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table of a ledger by its name, with the filters that it has.

    Raises
    ------
    InvalidFilter
        No such table, or a filter that the table does not have.
    """
    if table not in TABLES:
        raise InvalidFilter("table", table, list(TABLES))
    given = {name: value for name, value in filters.items() if value is not None}
    made = getattr(ledger, TABLES[table])
    allowed = list(signature(made).parameters) if callable(made) else []
    if unknown := sorted(given.keys() - set(allowed)):
        choices = allowed or [f"no filter: {table} has none"]
        raise InvalidFilter(unknown[0], given[unknown[0]], choices)
    frame: pd.DataFrame = made(**given) if callable(made) else made
    return frame


def plain_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters that were given, as JSON values."""
    return {name: _plain(value) for name, value in filters.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return list(value) if isinstance(value, list | tuple) else value


def ask(
    tables: Mapping[str, pa.Table], query: str, parameters: Mapping[str, Any], zone: str
) -> pd.DataFrame:
    """Ask DuckDB about Arrow tables; moments of the answer are in `zone`.

    Raises
    ------
    MissingExtra
        DuckDB is not installed.
    InvalidQuery
        DuckDB does not understand the query, or it gives no rows back.
    """
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("Ledger.sql", "sql") from None
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        for name, table in tables.items():
            connection.register(name, table)
        try:
            relation = connection.sql(query, params=dict(parameters) or None)
            found = None if relation is None else relation.to_arrow_table()
        except duckdb.Error as error:
            raise InvalidQuery(query, _why(error, query)) from None
    if found is None:
        raise InvalidQuery(query, "it gives no rows back")
    return query_frame(found)


def _why(error: Exception, query: str) -> str:
    """Return DuckDB's first line, and the new name of a column that was called otherwise."""
    renamed = [f"{old} is called {new}" for old, new in PARTY_COLUMNS.items() if old in query]
    return "; ".join([str(error).split("\n")[0].rstrip("."), *renamed])
