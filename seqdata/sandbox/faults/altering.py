"""Changes to the finished JSON of an answer, which the strict engine would never give.

The options of all of them: `of`, which nodes are meant ("transfer"; "account" for pods, ports and
accounts; "page" for what has edges; "organization"; "answer" for all of the data); `field`, a
dotted path inside a node, through lists by number ("amount.cents", "edges.3"); `row`, the number
of the node within the answer, or None for every node that has the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from seqdata.sandbox.world.clock import HOUR, utc_text

Options = dict[str, Any]
Node = dict[str, Any]
#: What holds a value, and the key or number it has there.
Spot = tuple[Any, Any]

ACCOUNT_LISTS = ("pods", "ports", "accounts")


def nodes(payload: Any, of: str) -> Iterator[Node]:
    """Every node of a kind within an answer, in the order of the answer."""
    if isinstance(payload, list):
        for one in payload:
            yield from nodes(one, of)
    elif isinstance(payload, dict):
        if of in _SIGNS and _SIGNS[of](payload):
            yield payload
        for key, value in payload.items():
            if of == "account" and key in ACCOUNT_LISTS:
                yield from value or []
            else:
                if of == key == "organization" and isinstance(value, dict):
                    yield value
                yield from nodes(value, of)


_AMOUNTS = frozenset({"amount", "amountInCents"})
_MOMENTS = frozenset({"createdAt", "transactionDate"})

#: What a kind of node is known by, where it is not known by the key it stands under.
_SIGNS: dict[str, Callable[[Node], bool]] = {
    "transfer": lambda node: bool(node.keys() & _AMOUNTS) and bool(node.keys() & _MOMENTS),
    "page": lambda node: "edges" in node or ("items" in node and "pagination" in node),
    "account": lambda node: "canBeSource" in node,
    "rule": lambda node: "isSupported" in node or "steps" in node,
    "execution": lambda node: "ruleId" in node and "amountInCents" not in node,
    "call": lambda node: "apiKeyId" in node,
}

KINDS_OF_NODES = (
    "transfer", "account", "page", "organization", "answer", "rule", "execution", "call"
)  # fmt: skip


def _at(holder: Any, name: str) -> Spot | None:
    if isinstance(holder, dict):
        return (holder, name) if name in holder else None
    if isinstance(holder, list) and name.isdecimal() and int(name) < len(holder):
        return holder, int(name)
    return None


def _spot(node: Node, path: list[str]) -> Spot | None:
    """Find what holds the last name of a path, where the whole path is there."""
    spot: Spot | None = None
    found: Any = node
    for name in path:
        spot = _at(found, name)
        if spot is None:
            return None
        found = spot[0][spot[1]]
    return spot


def _spots(payload: Node, options: Options, default: str) -> list[Spot]:
    data, of = payload["data"], options.get("of", "transfer")
    among = [data] if of == "answer" else list(nodes(data, of))
    path = options.get("field", default).split(".")
    if "field" not in options and path == ["amount", "cents"]:
        # What the official API calls them.
        path = ["amountInCents"] if any("amountInCents" in one for one in among) else path
    spots = [spot for one in among if (spot := _spot(one, path)) is not None]
    row = options.get("row", 0)
    return spots if row is None else spots[row : row + 1]


def has_field(payload: Node, options: Options) -> bool:
    """Whether there is a node to change."""
    return bool(_spots(payload, options, "status"))


def has_balance(payload: Node, _: Options) -> bool:
    """Whether there is an account of the official API whose balance is known."""
    return any(one.get("balance") for one in nodes(payload["data"], "account"))


def fail_balance(payload: Node, options: Options) -> Node:
    """Say why a balance is not known, instead of the balance."""
    for one in nodes(payload["data"], "account"):
        if one.get("balance"):
            code = options.get("code", "BALANCE_UNAVAILABLE")
            one["balance"] |= {
                "balanceInCents": None,
                "availableBalanceInCents": None,
                "error": code,
            }
    return payload


def remove(payload: Node, options: Options) -> Node:
    """Let a field be missing, or null with `null=True`."""
    for holder, name in _spots(payload, options, "status"):
        if options.get("null"):
            holder[name] = None
        else:
            del holder[name]
    return payload


def rename(payload: Node, options: Options) -> Node:
    """Give a field under another `name`."""
    for holder, name in _spots(payload, options, "status"):
        if isinstance(holder, dict):
            holder[options.get("name", f"{name}V2")] = holder.pop(name)
    return payload


def replace(payload: Node, options: Options) -> Node:
    """Give a field a `value` nobody has seen: a status, a `source.__typename`."""
    for holder, name in _spots(payload, options, "status"):
        holder[name] = options.get("value", "TELEPORTED")
    return payload


def convert(payload: Node, options: Options) -> Node:
    """Give a field's value in another type: `to` text, float, epoch, list or object."""
    for holder, name in _spots(payload, options, "amount.cents"):
        value = holder[name]
        holder[name] = _CONVERSIONS[options.get("to") or _usual(value)](value)
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


# -- values of the right type that are wrong ---------------------------------------


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


#: What becomes of a value. A text of a moment is cut where it is one.
VALUES: dict[str, Callable[[Any], Any]] = {
    "zero": lambda _: 0,
    "negative": lambda value: -abs(_whole(value)) or -1,
    "more": lambda value: _whole(value) + 3,
    "fewer": lambda value: _whole(value) - 3,
    "huge_number": lambda _: 2**70,
    "huge_text": lambda _: "x" * 2**20,
    "half_character": lambda value: f"{value or ''}\ud83d",
    "controls": lambda value: f"\x1b[2J{value or ''}\x00\u202e",
    "date_alone": lambda value: str(value)[:10],
    "year_1": lambda _: "0001-01-01T00:00:00Z",
    "year_9999": lambda _: "9999-12-31T23:59:59.999Z",
    "in_a_year": lambda value: _moved(value, timedelta(days=365)),
    "swapped": lambda value: value,
}


def _moved(text: Any, by: timedelta) -> Any:
    try:
        return f"{(datetime.fromisoformat(text) + by).isoformat()[:19]}Z"
    except (TypeError, ValueError):
        return text


def mistake(payload: Node, options: Options) -> Node:
    """Give a field a wrong value of the right type; with `swapped`, that of the next row."""
    spots = _spots(payload, options, "amount.cents")
    if options.get("variant") == "swapped":
        _swap(payload, options)
        return payload
    for holder, name in spots:
        holder[name] = VALUES[options.get("variant", "zero")](holder[name])
    return payload


def _swap(payload: Node, options: Options) -> None:
    """Give two rows, or every two that follow each other, each the value of the other."""
    row = options.get("row", 0)
    spots = _spots(payload, options | {"row": None}, "amount.cents")
    chosen = spots if row is None else spots[row : row + 2]
    for (one, here), (other, there) in zip(chosen[::2], chosen[1::2], strict=False):
        one[here], other[there] = other[there], one[here]


# -- an older state of the world ---------------------------------------------------


def is_younger(payload: Node, options: Options) -> bool:
    """Whether an answer shows what was not so yet."""
    before = _lag(options)
    rows = nodes(payload["data"], "transfer")
    return any(_is_after(one, name, before) for one in rows for name in _CHANGES)


def lag(payload: Node, options: Options) -> Node:
    """Tell of transfers as they were some `hours` ago: the newest missing, the changed as made.

    A count beside a page lacks what the page lacks.
    """
    before = _lag(options)
    for organization in nodes(payload["data"], "organization"):
        _forget_newest(organization, before)
    for page in nodes(payload["data"], "page"):
        if "items" in page:
            page["items"] = [
                one for one in page["items"] if not _is_after(one, "createdAt", before)
            ]
    for one in nodes(payload["data"], "transfer"):
        if any(_is_after(one, name, before) for name in _CHANGES):
            was = {"status": "PENDING", "errorReason": None, "updatedAt": one.get("createdAt"),
                   "errorCode": None, "completedAt": None}  # fmt: skip
            one.update({name: value for name, value in was.items() if name in one})
    return payload


#: Fields that say when a transfer was changed last.
_CHANGES = ("updatedAt", "completedAt")


def _lag(options: Options) -> str:
    return utc_text(options["now"] - round(options.get("hours", 24) * HOUR))


def _is_after(node: Node, field: str, text: str) -> bool:
    said = node.get(field)
    return said is not None and datetime.fromisoformat(said) > datetime.fromisoformat(text)


def _forget_newest(organization: Node, before: str) -> None:
    for name, value in organization.items():
        if isinstance(value, dict) and "edges" in value:
            shown = [one for one in value["edges"] if not _is_new(one["node"], before)]
            _count_less(organization, len(value["edges"]) - len(shown))
            value["edges"] = shown
        elif isinstance(value, dict) and _is_new(value, before):
            organization[name] = None


def _is_new(node: Node, before: str) -> bool:
    return _SIGNS["transfer"](node) and _is_after(node, "createdAt", before)


def _count_less(organization: Node, number: int) -> None:
    counted = organization.get("numberOfTransfers")
    if isinstance(counted, dict) and "count" in counted:
        counted["count"] -= number


def check_options(options: Options) -> None:
    """Refuse nodes and types that do not exist."""
    if options.get("of", "transfer") not in KINDS_OF_NODES:
        known = ", ".join(KINDS_OF_NODES)
        raise ValueError(f"of is one of {known}, got {options['of']!r}")
    if (options.get("to") or "text") not in _CONVERSIONS:
        raise ValueError(f"to is one of {', '.join(_CONVERSIONS)}, got {options['to']!r}")
