"""Arrow as the type checker should see it."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

# The stubs' overloads tell arrays from chunked arrays; what computes on both is neither.

#: A column of a table, whole or in chunks.
Column: TypeAlias = Any

pc: Any = pyarrow.compute


def encoded(column: Column) -> Column:
    """Return a column of text as one dictionary-encoded array; null is no value of it."""
    by_values = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if not isinstance(by_values, pa.ChunkedArray):
        return by_values
    whole = by_values.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], by_values.type)
    return whole
