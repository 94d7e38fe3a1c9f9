"""Columns of money: whole cents, and the dollars beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from seqdata.exceptions import MissingColumns


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
