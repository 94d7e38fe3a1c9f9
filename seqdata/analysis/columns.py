"""Columns of money: whole cents, and the dollars beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqdata.exceptions import InvalidFilter, MissingColumns


def with_dollars(frame: pd.DataFrame) -> pd.DataFrame:
    """Put ``X`` in float64 dollars after each column ``X_cents``, which becomes Int64."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if not name.endswith("_cents"):
            columns[name] = frame[name]
            continue
        columns[name] = frame[name].astype("Int64")
        columns[name.removesuffix("_cents")] = (
            columns[name].to_numpy(np.float64, na_value=np.nan) / 100
        )
    return pd.DataFrame(columns, index=frame.index)


def require(frame: pd.DataFrame, table: str, columns: Iterable[str], source: str = "") -> None:
    """Raise :class:`MissingColumns` where a frame lacks some; `source` says what makes them."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise MissingColumns(table, missing, [str(name) for name in frame.columns], source)


def check_choice(name: str, value: str | None, choices: Iterable[str | None]) -> None:
    """Raise :class:`InvalidFilter` where a word is none of the choices."""
    if value not in tuple(choices):
        raise InvalidFilter(name, value, [choice for choice in choices if choice is not None])


def say(frame: pd.DataFrame, **facts: Any) -> pd.DataFrame:
    """Say in ``attrs["seqdata"]`` how a table counts; the values are JSON values."""
    frame.attrs["seqdata"] = {**frame.attrs.get("seqdata", {}), **facts}
    return frame


def widened(table: pd.DataFrame, index: str, names: Sequence[str], values: str) -> pd.DataFrame:
    """Return a table with a column for each name (of several: "pod · category"), by its dates.

    Raises
    ------
    InvalidFilter
        The table has no such index: it was made without periods.
    """
    if index not in table:
        raise InvalidFilter("wide", True, ["with freq= too: it is an index of periods"])
    facts = table.attrs
    if not names:
        made = table.set_index(index)
    else:
        texts = table[list(names)].astype("str").fillna("unnamed")
        label = [" · ".join(row) for row in texts.itertuples(index=False)]
        column = " · ".join(names)
        parts = pd.DataFrame({index: table[index], column: label, values: table[values]})
        made = parts.pivot_table(
            index=index, columns=column, values=values, aggfunc="sum", sort=False
        ).sort_index()
    made.attrs = {**facts, "seqdata": {**facts.get("seqdata", {}), "values": values}}
    return made
