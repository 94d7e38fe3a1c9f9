"""The shown filters as a line of Python, and as a command for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

#: What the command that only lists does not know.
_ONLY_EXPORTED = frozenset({"category"})


def as_python(filters: Mapping[str, Any]) -> str:
    """Return the call that gives what the filters leave; dates as their text."""
    words = [f"{name}={_python(value)}" for name, value in filters.items()]
    return f"ledger.categorized({', '.join(words)})"


def as_command(filters: Mapping[str, Any], *, is_disguised: bool = False) -> str:
    """Return the command that lists, or writes to a file, what the filters leave."""
    words = [f"--{name} {shlex.quote(one)}" for name, value in filters.items()
             for one in _texts(value)]  # fmt: skip
    if is_disguised:
        words.append("--share-safe")
    if is_disguised or _ONLY_EXPORTED & set(filters):
        return " ".join(["seqdata export activity.csv --table categorized", *words])
    return " ".join(["seqdata transfers", *words, "--limit 0"])


def _python(value: Any) -> str:
    texts = _texts(value)
    return repr(texts) if isinstance(value, tuple) else repr(texts[0])


def _texts(value: Any) -> list[str]:
    return list(map(str, value)) if isinstance(value, tuple) else [str(value)]
