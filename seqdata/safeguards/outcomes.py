"""What became of a transfer: the three outcomes, and how they are told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from seqdata.exceptions import (
    ConnectionFailed,
    GraphQLError,
    HTTPError,
    ReadOnlyMode,
    UnexpectedAnswer,
)

Node = dict[str, Any]


@dataclass(frozen=True)
class Completed:
    """The service accepted the transfer.

    `transfer_id` is the service's; where it could not be learned it is None, and `why_no_id`
    says why.
    """

    transfer_id: str | None
    why_no_id: str = ""
    intent_id: str = ""
    status: ClassVar[str] = "completed"

    def __str__(self) -> str:
        which = self.transfer_id or f"its id is not known: {self.why_no_id}"
        return f"Completed: the service accepted the transfer ({which})."


@dataclass(frozen=True)
class Failed:
    """Nothing was moved. `reason` is why."""

    reason: str
    intent_id: str = ""
    status: ClassVar[str] = "failed"

    def __str__(self) -> str:
        return f"Failed, nothing was moved: {self.reason}"


@dataclass(frozen=True)
class Unknown:
    """The money may have moved, or not. Never send it again; settle it. `why` is the reason."""

    why: str
    intent_id: str = ""
    status: ClassVar[str] = "unknown"

    def __str__(self) -> str:
        return (
            f"Unknown: the money may have moved, or not ({self.why}). Do not send it again: "
            "seqdata transfer settle finds out."
        )


@dataclass(frozen=True)
class Rehearsed:
    """A dry run went through everything but the sending."""

    intent_id: str = ""
    status: ClassVar[str] = "dry run"

    def __str__(self) -> str:
        return "Dry run: every check passed, and nothing was sent."


Outcome: TypeAlias = Completed | Failed | Unknown
ConfirmOutcome: TypeAlias = Completed | Failed | Unknown | Rehearsed


@dataclass(frozen=True)
class Verdict:
    """An outcome, and the `ok` of the answer where there is one."""

    outcome: Outcome
    ok: Node = field(default_factory=dict, repr=False)


#: HTTP statuses with which the service refuses before it acts.
_REFUSALS = frozenset({400, 401, 403, 404, 429})

_BEFORE_ACTING = frozenset({"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"})


def judge_error(error: BaseException) -> Outcome:
    """Tell what an error while sending means for the money: failed, or unknown."""
    if is_refusal(error):
        return Failed(str(error))
    return Unknown(_without_advice(error))


def _without_advice(error: BaseException) -> str:
    """Say what happened; what such an error says elsewhere is "try again", which is wrong here."""
    if isinstance(error, ConnectionFailed):
        return f"no answer from {error.origin}: {error.reason}"
    if isinstance(error, HTTPError):
        return f"HTTP {error.status}"
    if isinstance(error, GraphQLError):
        return f"GraphQL errors: {'; '.join(map(_message, error.errors)) or 'none given'}"
    if isinstance(error, UnexpectedAnswer):
        return f"expected {error.expected}, got {error.got}"
    return (str(error) or type(error).__name__).rstrip(". ")


def _message(error: object) -> str:
    return str(error.get("message")) if isinstance(error, dict) else str(error)


def is_refusal(error: BaseException) -> bool:
    """Tell whether an error while sending proves that the service did not act."""
    if isinstance(error, ReadOnlyMode):
        return True
    if isinstance(error, HTTPError):
        return error.status in _REFUSALS
    if isinstance(error, ConnectionFailed):
        return not error.body_sent
    if isinstance(error, GraphQLError):
        return bool(error.errors) and all(map(_is_before_acting, error.errors))
    return False


def _is_before_acting(error: object) -> bool:
    if not isinstance(error, dict) or error.get("path"):
        return False
    extensions = error.get("extensions")
    return isinstance(extensions, dict) and extensions.get("code") in _BEFORE_ACTING


def judge_answer(data: Node) -> Verdict:
    """Tell what the `data` of the answer means: `ok`, `error`, or neither of them clearly."""
    result: Any = data
    for key in ("forKYC", "createPayment"):
        result = result.get(key) if isinstance(result, dict) else None
    if not isinstance(result, dict):
        return _contradictory("no createPayment")
    ok, error = result.get("ok"), result.get("error")
    if isinstance(ok, dict) and error is None:
        return Verdict(Completed(None), ok)
    message = error.get("message") if isinstance(error, dict) else None
    if ok is None and isinstance(message, str):
        return Verdict(Failed(message or "the service gave no reason"))
    return _contradictory("both or neither of ok and error")


def _contradictory(got: str) -> Verdict:
    return Verdict(Unknown(f"the answer has {got}"))
