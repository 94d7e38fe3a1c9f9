"""What the answer to a payment proves: one pure function of what left and what came.

*Failed* is a claim that needs proof, since a person who reads it sends the money again. There
are two proofs. The body never left: libcurl never asked for it. Or the service said no, in one
well-formed JSON document that contradicts itself nowhere. What is not one of the two, and no
clear yes either, is unknown, whatever its status: between the service and us stand others, which
answer too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqdata.core.json import parse_strictly, values_of
from seqdata.http.messages import Answer, Exchange
from seqdata.sources.base import Verdict

Node = dict[str, Any]

#: Statuses with which the service refuses before it acts.
_REFUSALS = frozenset({400, 401, 403, 404, 429})

#: Codes of GraphQL errors that come before anything is executed.
_BEFORE_ACTING = frozenset({"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"})


def judge(exchange: Exchange) -> Verdict:
    """Tell what became of a payment: accepted, failed or unknown.

    Parameters
    ----------
    exchange
        What left this machine, and what came.

    Returns
    -------
    Verdict
        *accepted*: a 2xx with exactly one ``ok``, and neither ``error`` nor ``errors`` that say
        anything. *failed*: the body never left; or a refusal: the operation's own ``error``; 400,
        401, 403, 404 or 429 with a reason; errors of parsing or validation. No ``ok`` may stand
        beside a refusal, and no data beside errors. *unknown*: everything else.
    """
    said = _said(exchange)
    if exchange.left:
        return said
    if said.kind == "accepted":
        return Verdict("unknown", "it was accepted, and yet it never left this machine")
    return Verdict("failed", f"it never left this machine: {exchange.fault or said.why}")


def payment_of(document: Any) -> Node | None:
    """Return what stands under ``data.forKYC.createPayment``; None where that is no object."""
    found = document
    for key in ("data", "forKYC", "createPayment"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _said(exchange: Exchange) -> Verdict:
    if exchange.answer is None:
        return Verdict("unknown", f"no whole answer came: {exchange.fault}")
    try:
        document = parse_strictly(exchange.answer.body)
    except ValueError as error:  # also bytes that are no UTF-8
        return _unclear(exchange.answer, f"is not one JSON document ({_short(str(error))})")
    if not isinstance(document, dict):
        return _unclear(exchange.answer, f"is a JSON {type(document).__name__}")
    return _read(exchange.answer, document)


def _read(answer: Answer, document: Node) -> Verdict:
    oks = list(values_of(document, "ok"))
    if answer.status // 100 == 2 and _is_accepted(document, oks):
        return Verdict("accepted")
    if any(ok is not None for ok in oks):
        return _unclear(answer, "has an ok that something contradicts")
    reason = _refusal(answer.status, document)
    if reason is None:
        return _unclear(answer, "is neither a clear yes nor a clear no")
    return Verdict("failed", reason)


def _is_accepted(document: Node, oks: Sequence[Any]) -> bool:
    objections = [*values_of(document, "error"), *values_of(document, "errors")]
    own = payment_of(document)
    return (
        len(oks) == 1
        and own is not None
        and isinstance(own.get("ok"), dict)
        and all(map(_is_empty, objections))
    )


def _refusal(status: int, document: Node) -> str | None:
    """Return the service's reason, where the document is a refusal and nothing else."""
    data, errors = document.get("data"), document.get("errors")
    if data is not None:
        is_ours = status // 100 == 2 or status in _REFUSALS
        return _own_error(document) if is_ours and _is_empty(errors) else None
    if status in _REFUSALS:
        reason = _reason(document)
        return None if reason is None else f"HTTP {status}: {reason}"
    is_before = isinstance(errors, list) and errors and all(map(_is_before_acting, errors))
    return _reason(document) if status // 100 == 2 and is_before else None


def _own_error(document: Node) -> str | None:
    """Return the message of the operation's own error, where it is all that the data says."""
    own = payment_of(document)
    error = own.get("error") if own is not None else None
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(message, str) or not _is_empty(document.get("error")):
        return None
    return message or "the service gave no reason"


def _reason(document: Node) -> str | None:
    """Return what a refusal without data says, where it says anything."""
    errors = document.get("errors")
    if not _is_empty(errors):
        if not isinstance(errors, list) or not all(isinstance(one, dict) for one in errors):
            return None
        return _short("; ".join(str(one.get("message") or "no reason given") for one in errors))
    for key in ("message", "error_description", "error"):
        said = document.get(key)
        said = said.get("message") if isinstance(said, dict) else said
        if isinstance(said, str) and said:
            return _short(said)
    return None


def _is_before_acting(error: object) -> bool:
    if not isinstance(error, dict) or error.get("path"):
        return False
    extensions = error.get("extensions")
    return isinstance(extensions, dict) and extensions.get("code") in _BEFORE_ACTING


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, list | dict | str) and not value)


def _unclear(answer: Answer, how: str) -> Verdict:
    return Verdict("unknown", f"HTTP {answer.status}, and the answer {how}")


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
