"""The kinds of faults, by name: where each one acts, on which answers, with which options.

Each acts at one of these places:

=============  ==================================================================
`replace`      instead of the answer; the service did nothing
`count`        on a call that asks for `numberOfTransfers`
`filter`       on the filter of transfers
`cursor`       on the cursor a page was asked by
`page`         on a page of transfers
`later page`   on a page that was asked for by a cursor
`payment`      on the result of an accepted `createPayment`: the money has moved
`fate`         on a `createPayment` that is accepted: how it will fail
`alter`        on the JSON of an answer with data
`finish`       on the answer on its way out: the service did what was asked
`delay`        on any answer; acts beside another fault
=============  ==================================================================

`wire` acts on the finished answer too, or with `before` instead of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from seqdata.sandbox.faults import altering, wire
from seqdata.sandbox.serving import given
from seqdata.sandbox.webapp.paging import BadInput, Cursors
from seqdata.sandbox.webapp.payments import Fate
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.records import Key

Options = dict[str, Any]

_WALL = """<!DOCTYPE html>
<html><head><title>Attention Required!</title></head>
<body><h1>Sorry, you have been blocked</h1><p>Ray ID: 8a1b2c3d4e5f6071</p></body></html>
"""


@dataclass(slots=True)
class Shown:
    """A page of transfers, and the cursor it was asked by ("" for the first page)."""

    page: dict[str, Any]
    after: str
    cursors: Cursors


@dataclass(slots=True)
class Sought:
    """The key a cursor stands for."""

    key: Key
    cursors: Cursors


def _always(_: Any, __: Options) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a named fault acts, how, with which options, and on what it can."""

    place: str
    act: Callable[[Any, Options], Any]
    options: frozenset[str] = frozenset()
    applies: Callable[[Any, Options], bool] = _always

    def acts_at(self, options: Options) -> str:
        """Name the place where it acts: with `before`, instead of the answer."""
        return "replace" if options.get("before") else self.place


# -- instead of the answer ---------------------------------------------------------


def _unauthorized(_: None, __: Options) -> Reply:
    return Reply(401, {"message": "Unauthorized"})


def _forbidden(_: None, options: Options) -> Reply:
    headers = {"server": "cdn", "cache-control": "no-store"}
    return Reply(options.get("status", 403), headers=headers, text=_WALL)


def _rate_limit(_: None, options: Options) -> Reply:
    retry_after = str(options.get("retry_after", 1))
    return Reply(429, {"message": "Too Many Requests"}, {"retry-after": retry_after})


def _html(status: int, title: str) -> Reply:
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, text=page)


def _server_error(_: None, options: Options) -> Reply:
    return _html(options.get("status", 500), "Internal Server Error")


def _bad_gateway(_: None, __: Options) -> Reply:
    return _html(502, "502 Bad Gateway")


def _cut(_: None, __: Options) -> Reply:
    return Reply(is_cut=True)


def _error(options: Options) -> dict[str, Any]:
    message = options.get("message", "Something went wrong")
    code = options.get("code", "INTERNAL_SERVER_ERROR")
    return {"message": message} | ({"extensions": {"code": code}} if code else {})


def _errors_without_data(_: None, options: Options) -> Reply:
    return Reply(200, {"errors": [_error(options)], "data": None})


# -- on the finished answer --------------------------------------------------------


def _errors_with_data(payload: dict[str, Any], options: Options) -> dict[str, Any]:
    return payload | {"errors": [*payload.get("errors", []), _error(options)]}


def _cut_after(reply: Reply, _: Options) -> Reply:
    reply.is_cut = True
    return reply


def _cut_midway(reply: Reply, _: Options) -> Reply:
    reply.is_cut_midway = True
    return reply


def _truncated(reply: Reply, options: Options) -> Reply:
    reply.share = options.get("share", 0.5)
    return reply


def _slow(reply: Reply, options: Options) -> Reply:
    reply.delay = options.get("seconds", 5.0)
    return reply


def _is_done(reply: Reply | None, _: Options) -> bool:
    return reply is None or reply.status == 200


def _wire(reply: Reply | None, options: Options) -> Reply:
    reply = reply or Reply(200, {"data": None})
    reply.wire = _one_of("variant", options, tuple(wire.VARIANTS))
    return reply


_CONTRADICTIONS = ("status", "errors", "errors_text", "errors_object")


def _contradiction(reply: Reply, options: Options) -> Reply:
    """Say no beside `ok`: by the HTTP status, or with errors, in a list or not."""
    variant = _one_of("variant", options, _CONTRADICTIONS)
    if variant == "status":
        reply.status = options.get("status", 400)
        return reply
    error = _error(options)
    errors = {"errors": [error], "errors_text": error["message"], "errors_object": error}
    reply.payload = {"errors": errors[variant]} | reply.payload
    return reply


def _says_ok(reply: Reply, options: Options) -> bool:
    found = wire.first(reply.payload, "ok") if _is_done(reply, options) else None
    return found is not None and found[1] is not None


# -- on pages ----------------------------------------------------------------------


def _repeated_cursor(shown: Shown, _: Options) -> dict[str, Any]:
    info = shown.page["pageInfo"] | {"endCursor": shown.after, "hasNextPage": True}
    return shown.page | {"pageInfo": info}


def _empty_page(shown: Shown, _: Options) -> dict[str, Any]:
    """Show nothing; the new cursor stands where the old one stood, so no row is lost."""
    created_at, own_id = shown.cursors.read(shown.after) if shown.after else (2**62, "_")
    end = shown.cursors.write((created_at, own_id[:-1]))
    info = {"startCursor": None, "endCursor": end, "hasNextPage": True}
    return shown.page | {"edges": [], "pageInfo": shown.page["pageInfo"] | info}


def _short_page(shown: Shown, options: Options) -> dict[str, Any]:
    """Show the first rows alone; the cursor is that of the last one shown."""
    edges = shown.page["edges"]
    edges = edges[: options.get("rows", max(1, len(edges) // 2))]
    info = {"endCursor": edges[-1]["cursor"], "hasNextPage": True}
    return shown.page | {"edges": edges, "pageInfo": shown.page["pageInfo"] | info}


def _has_rows(shown: Shown, _: Options) -> bool:
    return bool(shown.page["edges"])


def _expired_cursor(sought: Sought, options: Options) -> Key:
    if options.get("all"):
        sought.cursors.expire()
    raise BadInput(options.get("message", "Cursor has expired."))


def _duplicate_row(sought: Sought, _: Options) -> Key:
    """Stand one row before the cursor: the row it names comes again, and none is lost."""
    created_at, own_id = sought.key
    return created_at, f"{own_id}\0"


def _ignored(_: dict[str, Any], options: Options) -> str:
    name: str = options.get("field", "createdAt")
    return name


def _has_filter(asked: dict[str, Any], options: Options) -> bool:
    return bool(asked.get(_ignored(asked, options)))


# -- on counts and payments --------------------------------------------------------


_COUNT_VARIANTS = ("error", "unknown")


def _no_count(_: None, options: Options) -> str:
    return _one_of("variant", options, _COUNT_VARIANTS)


def _one_of(name: str, options: Options, choices: tuple[str, ...]) -> str:
    asked: str = options.get(name, choices[0])
    if asked not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, got {asked!r}")
    return asked


_CREATE_VARIANTS = ("message", "errors", "both", "neither", "bad_gateway")


def _create_error(
    result: dict[str, Any], options: Options
) -> dict[str, Any] | GraphQLError | Reply:
    variant = _one_of("variant", options, _CREATE_VARIANTS)
    message = options.get("message", "Something went wrong")
    if variant == "errors":
        return GraphQLError(message)
    if variant == "bad_gateway":
        return _html(502, "502 Bad Gateway")
    error = None if variant == "neither" else {"message": message}
    return {"ok": result["ok"] if variant == "both" else None, "error": error}


_FATES = ("FAILED", "CANCELLED", "ERROR", "INCOMPLETE")


def _payment_fails(_: None, options: Options) -> Fate:
    status = _one_of("status", options, _FATES)
    others = {name: options[name] for name in ("seconds", "reason") if name in options}
    return Fate(status, is_reversed=bool(options.get("reversed", False)), **others)


_FIELD = frozenset({"field", "of", "row"})

KINDS: dict[str, Kind] = {
    "unauthorized": Kind("replace", _unauthorized),
    "forbidden": Kind("replace", _forbidden, frozenset({"status"})),
    "rate_limit": Kind("replace", _rate_limit, frozenset({"retry_after"})),
    "server_error": Kind("replace", _server_error, frozenset({"status"})),
    "bad_gateway": Kind("replace", _bad_gateway),
    "cut": Kind("replace", _cut),
    "errors_without_data": Kind("replace", _errors_without_data, frozenset({"message", "code"})),
    "errors_with_data": Kind("alter", _errors_with_data, frozenset({"message", "code"})),
    "missing_field": Kind("alter", altering.remove, _FIELD | {"null"}, altering.has_field),
    "changed_type": Kind("alter", altering.convert, _FIELD | {"to"}, altering.has_field),
    "unknown_value": Kind("alter", altering.replace, _FIELD | {"value"}, altering.has_field),
    "cut_after": Kind("finish", _cut_after, applies=_is_done),
    "cut_midway": Kind("finish", _cut_midway, applies=_is_done),
    "truncated_json": Kind("finish", _truncated, frozenset({"share"}), _is_done),
    "wire": Kind("finish", _wire, frozenset({"variant", "before"}), _is_done),
    "contradiction": Kind(
        "finish", _contradiction, frozenset({"variant", "status", "message"}), _says_ok
    ),
    "slow": Kind("delay", _slow, frozenset({"seconds"})),
    "repeated_cursor": Kind("later page", _repeated_cursor),
    "empty_page": Kind("page", _empty_page),
    "short_page": Kind("page", _short_page, frozenset({"rows"}), _has_rows),
    "expired_cursor": Kind("cursor", _expired_cursor, frozenset({"all", "message"})),
    "duplicate_row": Kind("cursor", _duplicate_row),
    "ignored_filter": Kind("filter", _ignored, frozenset({"field"}), _has_filter),
    "no_count": Kind("count", _no_count, frozenset({"variant"})),
    "payment_fails": Kind(
        "fate", _payment_fails, frozenset({"status", "seconds", "reason", "reversed"})
    ),
    "create_error": Kind("payment", _create_error, frozenset({"variant", "message"})),
}

_VARIANTS = {
    "wire": tuple(wire.VARIANTS),
    "contradiction": _CONTRADICTIONS,
    "no_count": _COUNT_VARIANTS,
    "create_error": _CREATE_VARIANTS,
}


#: A status that has a body.
_STATUSES = given.whole(200, 599)


def _status(name: str, value: Any) -> None:
    _STATUSES(name, value)
    if value in (204, 205, 304):
        raise ValueError(f"{name} is one that has a body, got {value}")


def _header(name: str, value: Any) -> None:
    is_one = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not is_one or not re.fullmatch(r"[ -~]{1,200}", str(value)):
        raise ValueError(f"{name} is a number or a date of HTTP")


_CHECKS: dict[str, given.Check] = {
    "all": given.yes_or_no,
    "before": given.yes_or_no,
    "code": given.text,
    "field": given.text,
    "message": given.text,
    "null": given.yes_or_no,
    "of": given.text,
    "reason": given.text,
    "retry_after": _header,
    "reversed": given.yes_or_no,
    "row": given.or_null(given.whole(0, 1_000_000)),
    "rows": given.whole(1, 1_000_000),
    "seconds": given.number(0, 100_000_000),
    "share": given.number(0, 1),
    "status": _status,
    "to": given.or_null(given.text),
    "value": given.anything,
    "variant": given.text,
}


def check_options(kind: str, options: Options) -> None:
    """Refuse options a kind does not have, and values it cannot mean."""
    unknown = sorted(set(options) - KINDS[kind].options)
    if unknown:
        own = ", ".join(sorted(KINDS[kind].options)) or "none"
        raise ValueError(f"{kind} has no option {', '.join(unknown)}; it has {own}")
    own_checks = {"status": given.text} if kind == "payment_fails" else {}
    given.check(options, _CHECKS | own_checks)
    if kind in _VARIANTS:
        _one_of("variant", options, _VARIANTS[kind])
    if kind == "payment_fails":
        _payment_fails(None, options)
    if not 0 < options.get("share", 0.5) < 1:
        raise ValueError("share lies between 0 and 1")
    altering.check_options(options)
