"""Values as the text of CSV cells."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.export.kinds import is_rich, kind_of_values

#: What begins a formula: a sign, in full width too, after whatever takes no room; or an end of a
#: line, or a tab, after which some spreadsheets begin anew.
_NO_ROOM = (
    "\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
_BEGINNING = f"[{_NO_ROOM}]*[{_SIGNS}]|[\t\r\n\x0b\x0c\x85\u2028\u2029]"

#: Text that must not be run, and text that an apostrophe was put before, for Python and for Arrow.
FORMULA = f"^('*(?:{_BEGINNING}))"
ESCAPED = f"^'('*(?:{_BEGINNING}))"


def header(frame: pd.DataFrame, raw: bool) -> str:
    """Write the names; a quoted one without need marks the richer dtype."""
    cells = []
    for place, label in enumerate(frame.columns):
        name = str(label)
        if not raw and re.match(FORMULA, name):
            name = "'" + name
        rich = is_rich(frame.iloc[:, place])
        cells.append(_quoted(name) if rich or needs_quotes(name) else name)
    return ",".join(cells)


def needs_quotes(name: str) -> bool:
    """Tell whether a name would be cut where it is not quoted."""
    return not name or re.search(r'[",\r\n]', name) is not None


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def lines(rows: pd.DataFrame, raw: bool, end: str) -> bytes:
    """Write rows, each with its end of line."""
    columns = [_cells(rows, place, raw) for place in range(rows.shape[1])]
    cells = [pc.fill_null(column.cast(pa.large_string()), "") for column in columns]
    lines = _joined(*cells, separator=",")
    return "".join(_joined(lines, _large(end)).to_pylist()).encode()


def _cells(rows: pd.DataFrame, place: int, raw: bool) -> Column:
    values = rows.iloc[:, place]
    kind = kind_of_values(values)
    if kind == "text":
        return _text_cells(values, raw)
    if kind == "float":
        return _float_cells(rows, place)
    if kind in ("moment", "naive"):
        return _moment_cells(values, kind)
    return pa.array(values, from_pandas=True).cast(pa.string())


def _text_cells(values: pd.Series[Any], raw: bool) -> Column:
    texts = _arrow_texts(values)
    if not raw:
        texts = pc.replace_substring_regex(texts, pattern=FORMULA, replacement=r"'\1")
    doubled = pc.replace_substring(texts, '"', '""')
    return _joined(_large('"'), doubled, _large('"'))


def _arrow_texts(values: pd.Series[Any]) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) and isinstance(
        dtype.categories.dtype, pd.StringDtype
    ):
        return pa.array(values.array).cast(pa.large_string())
    if isinstance(dtype, pd.StringDtype):
        return pa.array(values, from_pandas=True).cast(pa.large_string())
    missing = values.isna().to_numpy()
    words = [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]
    return pa.array(words, pa.large_string())


def _float_cells(rows: pd.DataFrame, place: int) -> Column:
    values = rows.iloc[:, place].to_numpy(np.float64, na_value=np.nan)
    cents = _cents_beside(rows, str(rows.columns[place]), values)
    if cents is None:
        cents = _whole_cents(values)
    if cents is None:
        return pa.array(values, from_pandas=True).cast(pa.string())
    return decimals(cents, np.isnan(values))


def _cents_beside(rows: pd.DataFrame, name: str, dollars: Any) -> Any:
    """Return the cents that a column of dollars was made from; None if it was not."""
    source = f"{name}_cents"
    if list(rows.columns).count(source) != 1:
        return None
    column = rows[source]
    if not pd.api.types.is_integer_dtype(column.dtype):
        return None
    cents = column.to_numpy(np.int64, na_value=0)
    known = column.notna().to_numpy()
    same = np.where(known, cents / 100 == dollars, np.isnan(dollars))
    return cents if same.all() else None


def _whole_cents(dollars: Any) -> Any:
    """Return the whole cents that floats of dollars stand for; None if they are none."""
    known = np.where(np.isnan(dollars), 0.0, dollars)
    if not (np.abs(known) < 1e13).all():
        return None
    cents = np.rint(known * 100).astype(np.int64)
    return cents if (cents / 100 == known).all() else None


def decimals(cents: Any, missing: Any) -> Column:
    """Write int64 cents as decimal numbers with two places, as money.decimal_text does."""
    magnitude = np.abs(cents).astype(np.uint64)
    whole = pa.array(magnitude // 100).cast(pa.large_string())
    rest = pc.utf8_lpad(pa.array(magnitude % 100).cast(pa.large_string()), 2, "0")
    sign = pa.array(np.where(cents < 0, "-", "").astype(object), pa.large_string(), mask=missing)
    return _joined(sign, whole, _large("."), rest)


def _moment_cells(values: pd.Series[Any], kind: str) -> Column:
    local = values.dt.tz_localize(None).to_numpy("datetime64[us]")
    if kind == "naive":
        return _iso(local)
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    apart = np.where(np.isnat(utc), np.timedelta64(0, "us"), local - utc).astype(np.int64)
    odd = apart % 60_000_000 != 0  # local mean time has seconds, which ISO offsets have not
    local, apart = np.where(odd, utc, local), np.where(odd, 0, apart)
    distinct, places = np.unique(apart // 60_000_000, return_inverse=True)
    offsets = np.array([_offset(minutes) for minutes in distinct.tolist()], dtype=object)
    return _joined(_iso(local), pa.array(offsets[places], pa.large_string()))


def _iso(moments: Any) -> Column:
    column: Column = pa.array(moments, pa.timestamp("us"))
    fractions = moments[~np.isnat(moments)].astype(np.int64) % 1_000_000
    if not fractions.any():
        column = column.cast(pa.timestamp("s"))
    return pc.replace_substring(column.cast(pa.large_string()), " ", "T")


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _joined(*parts: Column, separator: str = "") -> Column:
    return pc.binary_join_element_wise(*parts, _large(separator))


def _large(text: str) -> pa.Scalar[Any]:
    return pa.scalar(text, pa.large_string())
