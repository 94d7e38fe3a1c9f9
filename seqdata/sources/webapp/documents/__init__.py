"""The operations' documents, one file an operation, as the web application sends them.

``…Counted`` asks for the number of transfers beside the page, which the web application asks for
elsewhere; ``fragments/`` are what it never sends: fields for many transfers in one request.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from seqdata.exceptions import UnexpectedAnswer

T = TypeVar("T")

#: An object of an answer, as it was sent.
Node = dict[str, Any]

_TOKENS = re.compile(
    r'"""(?:\\"""|.)*?"""' r'|"(?:\\.|[^"\\])*"' r"|#[^\n\r]*|[{}()\[\]]|[A-Za-z_]\w*",
    re.DOTALL,
)


@cache
def document(name: str) -> str:
    """Return the document in ``<name>.graphql`` of this package."""
    return files(__package__).joinpath(f"{name}.graphql").read_text(encoding="utf-8")


def expect(node: dict[str, Any], key: str, kind: type[T]) -> T:
    """Return ``node[key]``, which the API always answers with this type.

    Raises
    ------
    UnexpectedAnswer
        It is missing, null, or of another type.
    """
    value = node.get(key) if isinstance(node, dict) else None
    if not isinstance(value, kind):
        got = "nothing" if value is None else type(value).__name__
        raise UnexpectedAnswer(f"the question for {key}", f"a {kind.__name__}", got)
    return value


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
