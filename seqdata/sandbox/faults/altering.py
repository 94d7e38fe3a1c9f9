"""Changes to the finished JSON of an answer, which the strict engine would never give.

The options of all of them: `field`, a dotted path inside a node ("amount.cents"); `of`, which
nodes are meant ("transfer", or "account" for pods, ports and accounts); `row`, the number of
the node within the answer, or None for every node that has the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

Options = dict[str, Any]
Node = dict[str, Any]


def nodes(payload: Any, of: str) -> Iterator[Node]:
    """Every transfer of an answer, or every account, in the order of the answer."""
    if isinstance(payload, list):
        for one in payload:
            yield from nodes(one, of)
    elif isinstance(payload, dict):
        is_transfer = "amount" in payload and "createdAt" in payload
        if of == "transfer" and is_transfer:
            yield payload
        for key, value in payload.items():
            if of == "account" and key in ("pods", "ports", "accounts"):
                yield from value or []
            else:
                yield from nodes(value, of)


def _holder(node: Node, path: list[str]) -> Node | None:
    """Give the innermost object of a path, where the whole path is there."""
    found: Any = node
    for name in path[:-1]:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) and path[-1] in found else None


def _holders(payload: Node, options: Options, default: str) -> tuple[list[Node], str]:
    path = options.get("field", default).split(".")
    found = [_holder(node, path) for node in nodes(payload["data"], options.get("of", "transfer"))]
    holders = [one for one in found if one is not None]
    row = options.get("row", 0)
    return (holders if row is None else holders[row : row + 1]), path[-1]


def has_field(payload: Node, options: Options) -> bool:
    """Whether there is a node to change."""
    return bool(_holders(payload, options, "status")[0])


def remove(payload: Node, options: Options) -> Node:
    """Let a field be missing, or null with `null=True`."""
    holders, name = _holders(payload, options, "status")
    for one in holders:
        if options.get("null"):
            one[name] = None
        else:
            del one[name]
    return payload


def replace(payload: Node, options: Options) -> Node:
    """Give a field a `value` nobody has seen: a status, a `source.__typename`."""
    holders, name = _holders(payload, options, "status")
    for one in holders:
        one[name] = options.get("value", "TELEPORTED")
    return payload


def convert(payload: Node, options: Options) -> Node:
    """Give a field's value in another type: `to` text, float, epoch, list or object."""
    holders, name = _holders(payload, options, "amount.cents")
    for one in holders:
        one[name] = _CONVERSIONS[options.get("to") or _usual(one[name])](one[name])
    return payload


def _usual(value: Any) -> str:
    if isinstance(value, int):
        return "text"
    return "epoch" if _epoch(value) is not None else "list"


def _epoch(value: Any) -> int | None:
    """Milliseconds of an ISO text, None where it is none."""
    try:
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "float": lambda value: value / 100,
    "epoch": _epoch,
    "list": lambda value: [value],
    "object": lambda value: {"value": value},
}


def check_options(options: Options) -> None:
    """Refuse nodes and types that do not exist."""
    if options.get("of", "transfer") not in ("transfer", "account"):
        raise ValueError(f'of is "transfer" or "account", got {options["of"]!r}')
    if (options.get("to") or "text") not in _CONVERSIONS:
        raise ValueError(f"to is one of {', '.join(_CONVERSIONS)}, got {options['to']!r}")
