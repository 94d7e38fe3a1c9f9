"""What a column holds, as its name, its dtype or the tables say."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pyarrow as pa

from seqdata.sources import schemas
from seqdata.store.frames import DOLLARS


def _known_kinds() -> dict[str, str]:
    tables = (
        *schemas.TRANSFER_HISTORY,
        *schemas.ACCOUNTS,
        *schemas.BALANCES,
        *schemas.DETAILS,
        *schemas.LEGS,
        *schemas.ANNOTATIONS,
    )
    kinds = {field.name: _kind_of_type(field.type) for field in tables}
    return {
        **kinds,
        **dict.fromkeys(DOLLARS.values(), "float"),
        **dict.fromkeys(_DAYS, "naive"),
        **dict.fromkeys(_MOMENTS, "moment"),
        **dict.fromkeys(_COUNTS, "int"),
    }


def _kind_of_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "moment"
    if pa.types.is_date(kind):
        return "date"
    return "int" if pa.types.is_integer(kind) else "text"


#: Columns of the analysis that hold counts, moments and days.
_COUNTS = ("transfers", "failed_transfers", "candidates", "times", "split_into")
_MOMENTS = ("effective_at", "since", "until")
_DAYS = ("date", "period", "first_date", "last_date", "next_date", "changed_on")

#: How a name of a share of a whole ends, and what a name of a truth is like.
_SHARES = ("share", "success")
_ADJECTIVE = re.compile(r"(is|may|has)_|.*_known$")

_KNOWN = _known_kinds()


def kind_of_name(name: str, names: list[str]) -> str | None:
    """Say what a column of this name holds, beside columns of these names; None: not known."""
    if name.endswith("_cents"):
        return "int"
    if f"{name}_cents" in names or name.endswith(_SHARES):
        return "float"
    return "bool" if _ADJECTIVE.match(name) else _KNOWN.get(name)


def is_richly_known(name: str) -> bool:
    """Tell whether a column has the richer dtype, in a CSV that another program saved again."""
    return name in schemas.CATEGORIES or name.endswith("_cents")


def kind_of_values(values: pd.Series[Any]) -> str:
    """Say what a column holds: text, moment, naive, date, bool, int or float."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "moment"
    if pd.api.types.is_datetime64_dtype(dtype):
        return "naive"
    for kind, test in _DTYPES.items():
        if test(dtype):
            return kind
    return "date" if pd.api.types.infer_dtype(values, skipna=True) == "date" else "text"


_DTYPES = {
    "bool": pd.api.types.is_bool_dtype,
    "int": pd.api.types.is_integer_dtype,
    "float": pd.api.types.is_float_dtype,
}


def is_rich(values: pd.Series[Any]) -> bool:
    """Tell whether a column is a category, or a number or truth that can be missing."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return True
    numeric = pd.api.types.is_numeric_dtype(dtype)
    return bool(numeric and pd.api.types.is_extension_array_dtype(dtype))
