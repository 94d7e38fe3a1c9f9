"""Tables as DataFrames: zone, categories, dollars beside the cents."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.core.arrow import encoded, pc
from seqdata.sources.schemas import CATEGORIES

#: Columns of whole cents, and the column of float dollars that follows each.
DOLLARS = {"amount_cents": "amount", "balance_cents": "balance", "goal_cents": "goal"}


def transfers_frame(table: pa.Table, zone: str, *, include_removed: bool = False) -> pd.DataFrame:
    """Transfers as a DataFrame.

    Parameters
    ----------
    table
        TRANSFERS columns or some of them; category columns may be dictionary-encoded.
    zone
        IANA name of the reporting zone.
    include_removed
        Keep the column removed_at even if no row has it.

    Returns
    -------
    DataFrame
        Moments are ``datetime64[us, zone]``; ``amount_cents`` is Int64 and ``amount``, next
        to it, float64 dollars; text with few values is ``category``, other text ``str``.
        ``removed_at`` is there only if it was asked for, or a row was removed.
    """
    if "removed_at" in table.column_names:
        nothing_removed = table["removed_at"].null_count == table.num_rows
        if nothing_removed and not include_removed:
            table = table.drop_columns("removed_at")
    return frame(table, zone)


def query_frame(table: pa.Table) -> pd.DataFrame:
    """Make a DataFrame of what a query gave: whole numbers stay whole, missing ones are NA.

    A sum of cents comes from DuckDB as a decimal without places; here it is Int64 again.
    """
    whole = [
        column.cast(pa.int64()) if pa.types.is_decimal(kind) and kind.scale == 0 else column
        for column, kind in zip(table.columns, table.schema.types, strict=True)
    ]
    nullable: Any = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}
    return pa.table(whole, names=table.column_names).to_pandas(types_mapper=nullable.get)


def frame(table: pa.Table, zone: str) -> pd.DataFrame:
    """Any of the tables as a DataFrame, with a RangeIndex; dollars stand beside cents."""
    columns: dict[str, Any] = {}
    for name, values in zip(table.column_names, _columns(table, zone), strict=True):
        columns[name] = values
        if name in DOLLARS:
            columns[DOLLARS[name]] = values.to_numpy(np.float64, na_value=np.nan) / 100
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def _columns(table: pa.Table, zone: str) -> Iterable[Any]:
    """Convert the columns, those of a long table side by side, as Arrow itself does."""
    given = table.column_names, table.columns, repeat(zone)
    if table.num_rows < _LONG:
        return map(_column, *given)
    with ThreadPoolExecutor(_CONVERTERS) as converters:
        return list(converters.map(_column, *given))


#: So many rows take longer to convert than threads take to start.
_LONG, _CONVERTERS = 20_000, min(4, os.cpu_count() or 1)


def _column(name: str, values: Any, zone: str) -> Any:
    if name in CATEGORIES:
        return categories(values)
    if pa.types.is_timestamp(values.type):
        return moments(values, zone)
    if pa.types.is_integer(values.type):
        return integers(values)
    if pa.types.is_date(values.type):
        return dates(values)
    return texts(values)


def texts(values: Any) -> Any:
    """Make a ``str`` array of an Arrow column of text."""
    return _from_arrow(pd.StringDtype(na_value=np.nan), values)


def integers(values: Any) -> Any:
    """Make an ``Int64`` array of an Arrow column of int64."""
    return _from_arrow(pd.Int64Dtype(), values)


def dates(values: Any) -> Any:
    """Make an array of ``datetime.date`` objects, or None, of an Arrow column of dates."""
    return pd.Series(values.to_pandas(date_as_object=True), dtype="object").array


def moments(values: Any, zone: str) -> Any:
    """Make a ``datetime64[us, zone]`` array of an Arrow column of UTC microseconds."""
    counts = values.to_numpy(zero_copy_only=False).view(np.int64)  # NaT is a count of its own
    return pd.array(counts, dtype=pd.DatetimeTZDtype("us", ZoneInfo(zone)), copy=False)


def categories(values: Any) -> pd.Categorical:
    """Make a ``category`` array; its categories are the values that occur, sorted."""
    whole = encoded(values)
    names = whole.dictionary
    codes = np.asarray(pc.fill_null(whole.indices, -1), dtype=np.int32)
    # The last place is that of the code -1: missing.
    used = np.zeros(len(names) + 1, bool)
    used[codes] = True
    order = [place for place in pc.sort_indices(names).to_pylist() if used[place]]
    ranks: Any = np.full(len(names) + 1, -1, np.int8 if len(order) < 128 else np.int32)
    ranks[order] = np.arange(len(order))
    # pandas makes object of an empty list of categories when it reads Parquet.
    dtype = "str" if order else "object"
    index = pd.Index(names.take(pa.array(order, pa.int64())).to_pandas(), dtype=dtype)
    return pd.Categorical.from_codes(ranks.take(codes), categories=index, validate=False)


def _from_arrow(dtype: Any, values: Any) -> Any:
    return dtype.__from_arrow__(values)
