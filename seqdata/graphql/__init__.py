"""The operations' documents, as the web application sends them, one file an operation."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_TOKENS = re.compile(
    r'"""(?:\\"""|.)*?"""' r'|"(?:\\.|[^"\\])*"' r"|#[^\n\r]*|[{}()\[\]]|[A-Za-z_]\w*",
    re.DOTALL,
)


@cache
def document(name: str) -> str:
    """Return the document in ``<name>.graphql`` of this package."""
    return files(__package__).joinpath(f"{name}.graphql").read_text(encoding="utf-8")


def contains_mutation(text: str) -> bool:
    """Tell whether a document defines a mutation.

    The word counts outside braces, parentheses, strings and comments only. A fragment that
    is itself named ``mutation`` counts too: where money is concerned, in doubt it is one.
    """
    depth = 0
    for word in _TOKENS.findall(text):
        if word in "{([":
            depth += 1
        elif word in "})]":
            depth -= 1
        elif depth <= 0 and word == "mutation":
            return True
    return False
