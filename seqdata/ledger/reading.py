"""A table for reading: dollars as they are written, short dates, and no ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from seqdata.core.text import format_cents, printable

#: Columns for programs: whoever reads does not miss them.
_FOR_PROGRAMS = {
    "id", "organization_id", "read_from", "first_seen_at", "changed_at", "confirmed_at", "rule",
}  # fmt: skip


def for_reading(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as texts that a person reads; what is not known is an empty one.

    Cents become dollars in the place of both columns, moments the minute by their own clock,
    dates alone and midnights the day, shares percent. Ids, and what only programs need, are left
    out; so are columns of which nothing is known.
    """
    known = [
        name
        for name in frame.columns
        if name not in _FOR_PROGRAMS
        and not str(name).endswith("_id")
        and f"{name}_cents" not in frame.columns
        and (frame[name].notna().any() or not len(frame))
    ]
    made = {str(name).removesuffix("_cents"): _texts(str(name), frame[name]) for name in known}
    found = pd.DataFrame(made, index=frame.index)
    found.attrs.update(frame.attrs)
    return found


def _texts(name: str, values: pd.Series[Any]) -> pd.Series[Any]:
    write = _writer(name, values)
    plain = values.astype("object")
    return plain.where(plain.isna(), plain.map(write, na_action="ignore")).fillna("").astype("str")


def _writer(name: str, values: pd.Series[Any]) -> Callable[[Any], str]:
    if name.endswith("_cents"):
        return lambda cents: format_cents(int(cents))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return lambda moment: f"{moment:%Y-%m-%d %H:%M}"
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return lambda day: f"{day:%Y-%m-%d}"
    if pd.api.types.is_bool_dtype(values.dtype):
        return lambda value: "yes" if value else ""
    if pd.api.types.is_float_dtype(values.dtype):
        return lambda share: f"{share:.0%}"  # money is in cents, so floats are shares
    return lambda value: printable(str(value))
