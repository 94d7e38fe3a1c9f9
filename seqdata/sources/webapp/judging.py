"""What the answer to a payment proves: one pure function of what left and what came.

*Failed* is a claim that needs proof, since a person who reads it sends the money again. There
are two proofs. The body never left: libcurl never asked for it. Or the service said no, in one
well-formed JSON document that contradicts itself nowhere. What is not one of the two, and no
clear yes either, is unknown, whatever its status: between the service and us stand others, which
answer too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from json import JSONDecodeError
from typing import Any

from seqdata.core.json import parse_strictly, values_of
from seqdata.core.text import one_line
from seqdata.http.messages import Answer, Exchange
from seqdata.sources.base import Verdict
from seqdata.sources.webapp.documents import Node

#: Statuses with which the service refuses before it acts.
_REFUSALS = frozenset({400, 401, 403, 404, 429})

#: Codes of GraphQL errors that come before anything is executed.
_BEFORE_ACTING = frozenset({"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"})

#: Codes of a refusal by its HTTP status; one that is executed and then fails has others.
_REFUSING = _BEFORE_ACTING | {
    "BAD_REQUEST", "BAD_USER_INPUT", "FORBIDDEN", "NOT_FOUND", "UNAUTHENTICATED", "UNAUTHORIZED",
}  # fmt: skip

#: All that a refusal may say, by where it says it. What says more may say that something was done.
_OF_DOCUMENT = frozenset({"data", "errors", "error", "extensions"})
_OF_PAYMENT = frozenset({"ok", "error", "__typename"})
_OF_ERROR = frozenset({"message", "code", "__typename"})
_OF_REFUSAL = frozenset({
    "message", "error", "error_description", "code", "status", "statusCode", "requestId",
})  # fmt: skip


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
    except JSONDecodeError:
        return _unclear(exchange.answer, "is not one JSON document")
    except ValueError as error:  # a key that stands twice, bytes that are no UTF-8
        return _unclear(exchange.answer, f"is not one JSON document ({one_line(str(error))})")
    if not isinstance(document, dict):
        return _unclear(exchange.answer, f"is a JSON {type(document).__name__}")
    return _read(exchange.answer, document)


def _read(answer: Answer, document: Node) -> Verdict:
    oks = list(values_of(document, "ok"))
    if answer.status // 100 == 2 and _is_accepted(document, oks):
        return Verdict("accepted", document=document)
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
    is_refusing = status in _REFUSALS
    if not is_refusing and status // 100 != 2:
        return None
    if document.get("data") is not None:
        return _own_error(document)
    if not _is_empty(document.get("errors")):
        # Beside a `data` that is null, something was executed, unless the code says otherwise.
        codes = _REFUSING if is_refusing and "data" not in document else _BEFORE_ACTING
        reason = _all_refuse(document, codes, needs_code=not is_refusing or "data" in document)
    else:
        reason = _plain_refusal(document) if is_refusing else None
    return f"HTTP {status}: {reason}" if reason and is_refusing else reason


def _own_error(document: Node) -> str | None:
    """Return the message of the operation's own error, where it is all that the answer says."""
    kyc = _only(_only(document, _OF_DOCUMENT).get("data"), {"forKYC", "__typename"}).get("forKYC")
    own = _only(_only(kyc, {"createPayment", "id", "__typename"}).get("createPayment"), _OF_PAYMENT)
    message = _only(own.get("error"), _OF_ERROR).get("message")
    is_alone = _is_empty(document.get("errors")) and _is_empty(document.get("error"))
    return one_line(message) if isinstance(message, str) and message and is_alone else None


def _all_refuse(document: Node, codes: Collection[str], *, needs_code: bool) -> str | None:
    """Return what GraphQL errors say, where each of them came before anything was executed."""
    errors = document["errors"]
    if not isinstance(errors, list) or not _only(document, _OF_DOCUMENT):
        return None
    messages = []
    for error in errors:
        message = error.get("message") if isinstance(error, dict) else None
        if not isinstance(message, str) or not message or error.get("path"):
            return None
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        if code not in codes and (code is not None or needs_code):
            return None
        messages.append(message)
    return one_line("; ".join(messages))


def _plain_refusal(document: Node) -> str | None:
    """Return what a refusal without GraphQL says, where it says nothing else."""
    known = _only(document, _OF_REFUSAL | {"errors", "data"})
    for key in ("message", "error_description", "error"):
        said = known.get(key)
        said = _only(said, _OF_ERROR).get("message") if isinstance(said, dict) else said
        if isinstance(said, str) and said:
            return one_line(said)
    return None


def _only(node: object, keys: Collection[str]) -> Node:
    """Return an object that has no other keys than these; an empty one for anything else."""
    return node if isinstance(node, dict) and node.keys() <= set(keys) else {}


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, list | dict | str) and not value)


def _unclear(answer: Answer, how: str) -> Verdict:
    return Verdict("unknown", f"HTTP {answer.status}, and the answer {how}")
