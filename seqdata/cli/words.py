"""What was said on the command line, as the library's methods want it."""

from __future__ import annotations

from typing import Any


def given(words: dict[str, Any]) -> dict[str, Any]:
    """Keep the words that were said; one of several that may be said is said alone."""
    said = {name: value for name, value in words.items() if value not in (None, (), False)}
    return {
        name: (value[0] if len(value) == 1 else list(value)) if isinstance(value, tuple) else value
        for name, value in said.items()
    }
