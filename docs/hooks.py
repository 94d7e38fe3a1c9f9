"""What the site does with docstrings: the roles of reStructuredText become links of Markdown."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`([^`]+)`")


class PlainRoles(Extension):
    """Turns ``:class:`Ledger``` into a link where the site documents it, else into code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(lambda role: link(role[1], obj), obj.docstring.value)


def link(name: str, scope: Object) -> str:
    """Return a link to what a name means in the scope of a docstring; it need not be documented."""
    return f'<autoref identifier="{resolved(name, scope)}" optional><code>{name}</code></autoref>'


def resolved(name: str, scope: Object) -> str:
    """Return the full name of what a name means, or the name as it is."""
    first, _, rest = name.partition(".")
    if first == "seqdata":
        return name
    try:
        found = scope.resolve(first)
    except Exception:  # noqa: BLE001 - whatever griffe cannot resolve stays code
        return f"seqdata.{name}"
    return f"{found}.{rest}" if rest else found
