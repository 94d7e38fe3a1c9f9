"""What the site does with docstrings and with the theme's pages.

The roles of reStructuredText become links of Markdown; what a screen reader misses in the theme is
given its name.
"""

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


#: Parts of the theme's pages that lack a name, or are a landmark twice: what becomes of them.
_NAMED = {
    re.compile(r'(<div class="md-search" data-md-component="search" role="dialog")>'): (
        r'\1 aria-label="Search">'
    ),
    re.compile(r'(<input class="md-toggle" data-md-toggle="(?:search|drawer)")'): (
        r'\1 aria-hidden="true" tabindex="-1"'
    ),
    re.compile(r"<th></th>"): r"<td></td>",  # the corner of a table of pandas
    re.compile(r'(<nav class="md-nav" data-md-level="[1-9]") aria-labelledby="(\w+)_label"'): (
        r'\1 aria-label="\2"'
    ),
}


def on_post_page(output: str, **_: Any) -> str:
    """Give the theme's search and its inner lists of pages names of their own."""
    for part, named in _NAMED.items():
        output = part.sub(named, output)
    return output


def on_post_template(output_content: str, **_: Any) -> str:
    """Do the same for the page of a link that leads nowhere."""
    return on_post_page(output_content)
