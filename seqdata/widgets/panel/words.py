"""Errors and events in a person's words: no names of settings, options or events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from seqdata import exceptions as ex
from seqdata.core.text import format_cents

Sentence: TypeAlias = Callable[[Any], str]

NOTHING_SENT = "Nothing was sent."


def _again(why: str) -> str:
    return f"{why} {NOTHING_SENT} Review it again."


def _no_account(error: ex.UnknownAccount) -> str:
    named = f"“{error.account}”"
    if not error.account.strip():
        return f"No account was chosen. {NOTHING_SENT} Pick both from their lists."
    if error.ambiguous:
        why = f"More than one account is called {named}, or looks like it."
    else:
        why = f"No account is called {named}; a part of a name is not taken for it."
    return f"{why} {NOTHING_SENT} Pick one from the list."


def _too_much_today(error: ex.DailyLimitExceeded) -> str:
    left, most = format_cents(error.left_cents), format_cents(error.limit_cents)
    return (
        f"{format_cents(error.amount_cents)} is more than what is left today: {left} of {most}. "
        f"{NOTHING_SENT}"
    )


def _fell(error: ex.BalanceFell) -> str:
    return _again(
        f"{error.account} held {format_cents(error.shown_cents)} when you looked, and now holds "
        f"{format_cents(error.balance_cents)}: something else took money."
    )


def _open(error: ex.OutcomeOpen) -> str:
    return (
        f"It is not known whether {format_cents(error.amount_cents)} moved from {error.source} to "
        f"{error.destination}. {NOTHING_SENT} Find that out first: press Settle below."
    )


#: What the panel says of errors whose own sentence is for a terminal or a program.
_SENTENCES: dict[type[ex.SequenceError], Sentence] = {
    ex.ReadOnlyMode: lambda _: "Read-only is on, so nothing is sent from here.",
    ex.TransferLimitExceeded: lambda it: (
        f"{format_cents(it.amount_cents)} is more than one transfer may move: at most "
        f"{format_cents(it.limit_cents)}. {NOTHING_SENT}"
    ),
    ex.DailyLimitExceeded: _too_much_today,
    ex.BalanceFell: _fell,
    ex.RenamedAccount: lambda it: _again(
        f"You reviewed {it.was}, and the service calls it {it.now} now: it was renamed since."
    ),
    ex.OutcomeOpen: _open,
    ex.NobodyThere: lambda _: (
        f"Nobody can answer here, and this is a real account. {NOTHING_SENT} Run the cell "
        "yourself, in a notebook that you look at."
    ),
    ex.StageUnknown: lambda _: _again("This review is not one of this desk, or was changed."),
    ex.StageUsed: lambda it: (
        f"This review was used already ({it.state}). {NOTHING_SENT} Review another one, if you "
        "mean to move money again."
    ),
    ex.StageExpired: lambda _: _again("The time to confirm it is over."),
    ex.ForeignStage: lambda it: (
        f"This was reviewed by {it.owner}, and you are {it.user}. {NOTHING_SENT} Review one of "
        "your own."
    ),
    ex.SettleRefused: lambda it: (
        f"It cannot be settled like that: {it.reason}. It stays open, and its amount stays counted."
    ),
    ex.OutcomeNotRecorded: lambda it: (
        f"It was sent, and what became of it ({it.status}) could not be written down "
        f"({it.reason}). Do not send it again: it counts as sent. Mend the disk, then press Settle."
    ),
    ex.UnknownAccount: _no_account,
    ex.InvalidAmount: lambda it: (
        (f"“{it.amount}” is not an amount of dollars. " if it.amount else "No amount was given. ")
        + "Write it such as 12.34 or $1,234.56."
    ),
    ex.ConnectionFailed: lambda it: (
        f"No answer from {it.origin}. Check the connection, then try again."
    ),
}


def sentence_of(error: ex.SequenceError) -> str:
    """Say an error to a person who looks at the panel."""
    said = next((_SENTENCES[kind] for kind in type(error).__mro__ if kind in _SENTENCES), str)
    return said(error)


# -- the audit log ----------------------------------------------------------------------------

#: What the events of the audit log are called; another one by its own word.
_EVENTS = {
    "staged": "Reviewed", "confirmed": "Confirmed", "requested": "Sent", "completed": "Accepted",
    "failed": "Failed, nothing moved", "cancelled": "Cancelled", "expired": "Time was up",
    "unknown": "Outcome not known", "returned": "Accepted, then failed", "refused": "Refused",
    "searched": "Looked for, not found", "denied": "None of those found",
    "rehearsed": "Tried, not sent",
}  # fmt: skip

_REFUSALS = {
    "ReadOnlyMode": "read-only is on", "AmountTooSmall": "too small an amount",
    "NoteNotAllowed": "the note cannot be sent", "SameAccount": "both ends are the same",
    "SourceNotAllowed": "no money can be taken from there",
    "TransferLimitExceeded": "more than one transfer may move",
    "DailyLimitExceeded": "more than what was left of the day",
    "BalanceUnknown": "the balance is not known", "InsufficientBalance": "not enough is there",
    "BalanceFell": "the balance fell meanwhile", "RenamedAccount": "an account was renamed",
    "OutcomeOpen": "an earlier one is not settled", "NobodyThere": "nobody was there to answer",
    "ClockOff": "the clocks are apart", "StageExpired": "its time was up",
    "StageUsed": "it was used already", "StageUnknown": "it was not reviewed here",
    "ForeignStage": "somebody else reviewed it", "StillHeld": "another program was busy",
    "TurnLost": "another program may be sending",
    "LimitsUnreadable": "the file of the limits cannot be read",
    "AuditChainBroken": "the log was changed by something else",
}  # fmt: skip


def event_word(event: str, *, is_rehearsal: bool = False, has_arrived: bool = False) -> str:
    """Say an event of the audit log; `event` may begin with ``transfer_``."""
    name = event.removeprefix("transfer_")
    if name == "completed" and has_arrived:
        return "Arrived"
    word = _EVENTS.get(name, name.replace("_", " ").capitalize())
    return f"{word} (only tried)" if is_rehearsal and name != "rehearsed" else word


def reason_words(refusal: str, said: str) -> str:
    """Say why something was refused, failed or is not known, in a few words."""
    first = said.split(". ", maxsplit=1)[0].removesuffix(".")
    # What a library said stands behind what it means.
    return _REFUSALS.get(refusal, first.split(": curl", maxsplit=1)[0])
