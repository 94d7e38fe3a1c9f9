"""What the controls are given: read from JSON, and of the right type, or a ValueError says why.

Nonsense that got in would show much later, as a fault of the sandbox in an answer of its API.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

#: Checks a value; what it raises names the value by the name it is given.
Check = Callable[[str, Any], None]


def read_json(body: bytes) -> Any:
    """Read the JSON of a request; without a body, an empty object.

    Raises
    ------
    ValueError
        It is no JSON, or has numbers that are none, half characters, or no end of brackets.
    """
    try:
        given = json.loads(body, parse_constant=_no_number) if body else {}
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None
    return given


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def check(given: Any, checks: Mapping[str, Check], *, needed: tuple[str, ...] = ()) -> None:
    """Check an object: that it has what is needed, nothing unknown, and the right types.

    Raises
    ------
    ValueError
        What is wrong, and what there is.
    """
    if not isinstance(given, dict):
        raise ValueError(f"an object is expected, got {_kind(given)}")
    if unknown := sorted(set(given) - set(checks)):
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(checks))}")
    if missing := [name for name in needed if name not in given]:
        raise ValueError(f"missing: {', '.join(missing)}")
    for name, value in given.items():
        checks[name](name, value)


def text(name: str, value: Any) -> None:
    """Accept text."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is text, got {_kind(value)}")
    value.encode()


def texts(name: str, value: Any) -> None:
    """Accept a list of texts."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} is a list of texts, got {_kind(value)}")
    for one in value:
        text(name, one)


def yes_or_no(name: str, value: Any) -> None:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false, got {_kind(value)}")


def anything(name: str, value: Any) -> None:
    """Accept whatever it is."""


def number(least: float, most: float) -> Check:
    """Make a check that accepts a number within bounds."""

    def checked(name: str, value: Any) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(float(_bounded(value))) or not least <= value <= most:
            raise ValueError(f"{name} is a number from {least:g} to {most:g}, got {_kind(value)}")

    return checked


def whole(least: int, most: int) -> Check:
    """Make a check that accepts a whole number within bounds."""

    def checked(name: str, value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name} is a whole number from {least} to {most}, got {_kind(value)}")

    return checked


def or_null(inner: Check) -> Check:
    """Make a check that accepts null too."""

    def checked(name: str, value: Any) -> None:
        if value is not None:
            inner(name, value)

    return checked


def _bounded(value: float) -> float:
    return value if abs(value) < 1e300 else math.inf


def _kind(value: Any) -> str:
    shown = repr(value) if isinstance(value, int | float | None) and _is_short(value) else ""
    named = ((str, "text"), (list, "a list"), (dict, "an object"))
    return shown or next((word for kind, word in named if isinstance(value, kind)), "too much")


def _is_short(value: float | None) -> bool:
    return value is None or -1e12 < value < 1e12
