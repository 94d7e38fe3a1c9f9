"""Arrow as the type checker should see it."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow.compute

# The stubs' overloads tell arrays from chunked arrays; what computes on both is neither.

#: A column of a table, whole or in chunks.
Column: TypeAlias = Any

pc: Any = pyarrow.compute
