"""Arrow as the type checker should see it, and as light as it can be."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

# The stubs' overloads tell arrays from chunked arrays; what computes on both is neither.

#: A column of a table, whole or in chunks.
Column: TypeAlias = Any

pc: Any = pyarrow.compute


class _NoPandas:
    """A finder of modules to whom pandas is not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def leave_out_pandas() -> None:
    """Keep Arrow from loading pandas in a process that makes no DataFrame.

    At its first list Arrow imports pandas, to ask whether the list is a Series, and never asks
    again. What is turned into a DataFrame later loads it as usual.
    """
    finder: Any = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


def encoded(column: Column) -> Column:
    """Return a column of text as one dictionary-encoded array; null is no value of it."""
    by_values = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if not isinstance(by_values, pa.ChunkedArray):
        return by_values
    whole = by_values.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], by_values.type)
    return whole
