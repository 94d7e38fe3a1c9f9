"""What a value may look like: the few words of JSON Schema that requests are described in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from seqdata.sandbox.world.clock import SECOND, micros

Schema = dict[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


class NotInOrder(Exception):
    """A value is not as it is described; the message says which and how."""


def check(name: str, value: Any, schema: Schema) -> None:
    """Check a value of JSON against its schema, or raise `NotInOrder`."""
    kind = schema.get("type")
    if kind is not None and not _KINDS[kind](value):
        raise NotInOrder(f"{name} must be of type {kind}")
    if "enum" in schema and value not in schema["enum"]:
        raise NotInOrder(f"{name} must be one of {', '.join(schema['enum'])}")
    if isinstance(value, str):
        _check_text(name, value, schema)
    elif kind == "integer":
        _check_number(name, value, schema)
    elif kind == "array":
        if len(value) < schema.get("minItems", 0):
            raise NotInOrder(f"{name} needs at least {schema['minItems']}")
        for one in value:
            check(name, one, schema["items"])
    elif kind == "object":
        _check_object(name, value, schema)


def _is_whole(value: Any) -> bool:
    """Whether it is an integer as JSON Schema means it: 100.0 is one."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


_KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_whole,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _check_text(name: str, value: str, schema: Schema) -> None:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        raise NotInOrder(f"{name} has a length that is not allowed")
    if "pattern" in schema and not re.search(_whole(schema["pattern"]), value, re.ASCII):
        raise NotInOrder(f"{name} must match {schema['pattern']}")
    form = schema.get("format")
    if form == "uuid" and not _UUID.fullmatch(value):
        raise NotInOrder(f"{name} must be a UUID")
    if form == "date-time":
        read_moment(name, value)


def _whole(pattern: str) -> str:
    """Let `$` mean the end, as in JavaScript: Python's stands before a last end of line too."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def _check_number(name: str, value: float, schema: Schema) -> None:
    if value < schema.get("minimum", value):
        raise NotInOrder(f"{name} must be at least {schema['minimum']}")
    if value > schema.get("maximum", value):
        raise NotInOrder(f"{name} must be at most {schema['maximum']}")


def _check_object(name: str, value: dict[str, Any], schema: Schema) -> None:
    if missing := [one for one in schema.get("required", []) if one not in value]:
        raise NotInOrder(f"{name} lacks {', '.join(missing)}")
    for key, own in schema.get("properties", {}).items():
        if key in value:
            check(key, value[key], own)


def read_text(name: str, text: str, schema: Schema) -> Any:
    """Read a value of a query, which is always text, and check it."""
    value: Any = text
    if schema.get("type") == "integer":
        if not re.fullmatch(r"-?[0-9]{1,100}", text):
            raise NotInOrder(f"{name} must be of type integer")
        value = int(text)
    check(name, value, schema)
    return value


def read_moment(name: str, text: str) -> int:
    """Read a moment of RFC 3339, which has an offset; in microseconds since 1970.

    Raises
    ------
    NotInOrder
        It is none, or has no offset.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise NotInOrder(f"{name} must be a date-time with an offset, such as 2026-01-31T00:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction = round(float(found[7] or 0) * SECOND)
    shift = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0))
    try:
        leap = second == 60
        at = datetime(max(year, 1), month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
        if shift >= timedelta(days=1) or int(found[11] or 0) > 59:
            raise ValueError("an offset of a day or more")
    except ValueError:
        raise NotInOrder(f"{name} is no moment that can be: {text[:40]}") from None
    sign = -1 if found[9] == "+" else 1
    return (
        micros(at)
        + fraction
        + (SECOND if leap else 0)
        + sign * round(shift.total_seconds()) * SECOND
    )
