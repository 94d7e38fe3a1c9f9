"""What a person reads of a thing that stands last in a notebook's cell, or in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from seqdata.core.text import printable

#: Front ends take ``$…$`` in HTML for a formula, but where a class says that it is none.
NO_FORMULA = "tex2jax_ignore mathjax_ignore"


class Shown:
    """A thing whose ``repr`` is the sentences that ``print`` gives; in a notebook, as HTML."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{escape(line)}</div>" for line in str(self).split("\n"))
        return no_formula(lines)


def table_of_words(title: str, rows: Mapping[str, str]) -> str:
    """Write a title, and words to text as a small table, in HTML."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(printable(text))}</td></tr>"
        for name, text in rows.items()
    )
    return no_formula(f"<strong>{escape(title)}</strong><table>{cells}</table>")


def no_formula(html: str) -> str:
    """Wrap HTML, so that two dollar signs in it are no formula to a front end."""
    return f"<div class='{NO_FORMULA}'>{html}</div>"
