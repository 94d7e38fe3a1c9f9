"""What was said on the command line, as the library's methods want it."""

from __future__ import annotations

from typing import Any

import click

from seqdata.exceptions.base import choices_of


def given(words: dict[str, Any]) -> dict[str, Any]:
    """Keep the words that were said; one of several that may be said is said alone."""
    said = {name: value for name, value in words.items() if value not in (None, (), False)}
    return {
        name: (value[0] if len(value) == 1 else list(value)) if isinstance(value, tuple) else value
        for name, value in said.items()
    }


class OneOf(click.Choice[str]):
    """One of some words; another one is refused as the library refuses it."""

    def get_invalid_choice_message(
        self,
        value: Any,
        ctx: click.Context | None,  # noqa: ARG002 - click gives it
    ) -> str:
        """Say which words there are, and which of them comes near."""
        return f"{value!r} cannot be used.{choices_of(list(self.choices), value)}"
