"""The kinds of faults, by name: where each one acts, on which answers, with which options.

Each acts at one of these places:

=============  ==================================================================
`replace`      instead of the answer; the service did nothing
`ask`          on the variables of a call
`count`        on a call that asks for `numberOfTransfers`
`filter`       on the filter of transfers
`cursor`       on the cursor a page was asked by
`page`         on a page of transfers
`later page`   on a page that was asked for by a cursor
`payment`      on the result of an accepted `createPayment`: the money has moved
`fate`         on a `createPayment` that is accepted: how it will fail
`recall`       on an answer with data, beside those of before
`alter`        on the JSON of an answer with data
`finish`       on the answer on its way out: the service did what was asked
`delay`        on any answer; acts beside another fault
=============  ==================================================================

`wire`, `wrong_body` and `refused` act on the finished answer, or with `before` instead of it; the
last one and `balance_error` are of the official API alone. The options that an act gets hold `now`
too, the world's clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from seqdata.sandbox.faults import altering, answers, pages, wire
from seqdata.sandbox.serving import given
from seqdata.sandbox.webapp.payments import Fate
from seqdata.sandbox.webapp.reply import Reply

Options = dict[str, Any]

_WALL = """<!DOCTYPE html>
<html><head><title>Attention Required!</title></head>
<body><h1>Sorry, you have been blocked</h1><p>Ray ID: 8a1b2c3d4e5f6071</p></body></html>
"""


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
    retry_after = options.get("retry_after", 1)
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Reply(429, {"message": "Too Many Requests"}, headers)


def _refused(reply: Reply | None, options: Options) -> Reply:
    """Refuse in JSON, with a code of the official API."""
    said = {"message": options.get("message", "Something went wrong")}
    code = options.get("code", "UNEXPECTED_ERROR")
    if reply is None:
        return Reply(options.get("status", 500), said | {"code": code})
    payload = {"error": said | {"code": code}, "requestId": reply.payload.get("requestId")}
    return Reply(options.get("status", 500), payload)


def _server_error(_: None, options: Options) -> Reply:
    return answers.html(options.get("status", 500), "Internal Server Error")


def _bad_gateway(_: None, __: Options) -> Reply:
    return answers.html(502, "502 Bad Gateway")


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
    return reply is None or 200 <= reply.status < 300


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


# -- on filters, counts and payments --------------------------------------------------------


def _ignored(_: dict[str, Any], options: Options) -> str:
    name: str = options.get("field", "createdAt")
    return name


def _has_filter(asked: dict[str, Any], options: Options) -> bool:
    return bool(asked.get(_ignored(asked, options)))


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
        return answers.html(502, "502 Bad Gateway")
    error = None if variant == "neither" else {"message": message}
    return {"ok": result["ok"] if variant == "both" else None, "error": error}


_FATES = ("FAILED", "CANCELLED", "ERROR", "INCOMPLETE")


def _payment_fails(_: None, options: Options) -> Fate:
    status = _one_of("status", options, _FATES)
    others = {name: options[name] for name in ("seconds", "reason") if name in options}
    return Fate(status, is_reversed=bool(options.get("reversed", False)), **others)


_FIELD = frozenset({"field", "of", "row"})
_VARIANT = frozenset({"variant"})

KINDS: dict[str, Kind] = {
    "unauthorized": Kind("replace", _unauthorized),
    "forbidden": Kind("replace", _forbidden, frozenset({"status"})),
    "rate_limit": Kind("replace", _rate_limit, frozenset({"retry_after"})),
    "server_error": Kind("replace", _server_error, frozenset({"status"})),
    "bad_gateway": Kind("replace", _bad_gateway),
    "refused": Kind(
        "finish", _refused, frozenset({"status", "code", "message", "before"}), _is_done
    ),
    "balance_error": Kind(
        "alter", altering.fail_balance, frozenset({"code"}), altering.has_balance
    ),
    "cut": Kind("replace", _cut),
    "errors_without_data": Kind("replace", _errors_without_data, frozenset({"message", "code"})),
    "misheard": Kind("ask", answers.mishear, _VARIANT, answers.can_mishear),
    "cached_answer": Kind("recall", answers.tell_again, _VARIANT, answers.was_told),
    "errors_with_data": Kind("alter", _errors_with_data, frozenset({"message", "code"})),
    "missing_field": Kind("alter", altering.remove, _FIELD | {"null"}, altering.has_field),
    "renamed_field": Kind("alter", altering.rename, _FIELD | {"name"}, altering.has_field),
    "changed_type": Kind("alter", altering.convert, _FIELD | {"to"}, altering.has_field),
    "unknown_value": Kind("alter", altering.replace, _FIELD | {"value"}, altering.has_field),
    "wrong_value": Kind("alter", altering.mistake, _FIELD | _VARIANT, altering.has_field),
    "stale": Kind("alter", altering.lag, frozenset({"hours"}), altering.is_younger),
    "cut_after": Kind("finish", _cut_after, applies=_is_done),
    "cut_midway": Kind("finish", _cut_midway, applies=_is_done),
    "truncated_json": Kind("finish", _truncated, frozenset({"share"}), _is_done),
    "wire": Kind("finish", _wire, frozenset({"variant", "before"}), _is_done),
    "wrong_body": Kind(
        "finish", answers.answer_otherwise, frozenset({"variant", "before"}), _is_done
    ),
    "wrong_status": Kind("finish", answers.change_status, frozenset({"status"}), _is_done),
    "wrong_header": Kind(
        "finish", answers.change_header, frozenset({"name", "value", "days"}), _is_done
    ),
    "contradiction": Kind(
        "finish", _contradiction, frozenset({"variant", "status", "message"}), _says_ok
    ),
    "slow": Kind("delay", _slow, frozenset({"seconds"})),
    "repeated_cursor": Kind("later page", pages.repeat_cursor),
    "empty_page": Kind("page", pages.show_nothing),
    "short_page": Kind("page", pages.cut_short, frozenset({"rows"}), pages.has_rows),
    "wrong_page": Kind(
        "page", pages.lie, frozenset({"variant", "row", "rows", "days"}), pages.has_rows
    ),
    "expired_cursor": Kind("cursor", pages.expire_cursor, frozenset({"all", "message"})),
    "duplicate_row": Kind("cursor", pages.repeat_row),
    "shifted_page": Kind("cursor", pages.shift, frozenset({"by"})),
    "ignored_filter": Kind("filter", _ignored, frozenset({"field"}), _has_filter),
    "no_count": Kind("count", _no_count, _VARIANT),
    "payment_fails": Kind(
        "fate", _payment_fails, frozenset({"status", "seconds", "reason", "reversed"})
    ),
    "create_error": Kind("payment", _create_error, frozenset({"variant", "message"})),
}

#: The variants of the kinds that have some; the first one is the usual one.
VARIANTS: dict[str, tuple[str, ...]] = {
    "wire": tuple(wire.VARIANTS),
    "contradiction": _CONTRADICTIONS,
    "no_count": _COUNT_VARIANTS,
    "create_error": _CREATE_VARIANTS,
    "misheard": tuple(answers.MISHEARD),
    "cached_answer": answers.CACHED,
    "wrong_value": tuple(altering.VALUES),
    "wrong_page": tuple(pages.VARIANTS),
    "wrong_body": tuple(answers.BODIES),
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


#: Headers without which, or with others, there is no answer of HTTP.
_FRAMING = ("content-length", "transfer-encoding", "connection")


def _header_name(name: str, value: Any) -> None:
    given.text(name, value)
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", value) or value.lower() in _FRAMING:
        raise ValueError(f"{name} is that of a header, and none of {', '.join(_FRAMING)}")


_CHECKS: dict[str, given.Check] = {
    "all": given.yes_or_no,
    "before": given.yes_or_no,
    "by": given.whole(-1_000_000, 1_000_000),
    "code": given.text,
    "days": given.number(-100_000, 100_000),
    "field": given.text,
    "hours": given.number(0, 1_000_000),
    "message": given.text,
    "name": given.text,
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


#: Where an option of a kind is another than that of the others.
_OWN_CHECKS: dict[str, dict[str, given.Check]] = {
    "payment_fails": {"status": given.text},
    "wrong_header": {"name": _header_name, "value": given.or_null(_header)},
    "rate_limit": {"retry_after": given.or_null(_header)},
}


def check_options(kind: str, options: Options) -> None:
    """Refuse options a kind does not have, and values it cannot mean."""
    unknown = sorted(set(options) - KINDS[kind].options)
    if unknown:
        own = ", ".join(sorted(KINDS[kind].options)) or "none"
        raise ValueError(f"{kind} has no option {', '.join(unknown)}; it has {own}")
    given.check(options, _CHECKS | _OWN_CHECKS.get(kind, {}))
    if kind in VARIANTS:
        _one_of("variant", options, VARIANTS[kind])
    if kind == "payment_fails":
        _payment_fails(None, options)
    if not 0 < options.get("share", 0.5) < 1:
        raise ValueError("share lies between 0 and 1")
    altering.check_options(options)
