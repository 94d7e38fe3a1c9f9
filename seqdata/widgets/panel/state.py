"""What the transfer panel knows, and how that changes: pure functions of state and event.

No rule about money lives here. What is allowed, the desk says; this only keeps two things from
being asked for at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from seqdata.exceptions import (
    OutcomeNotRecorded,
    OutcomeOpen,
    RenamedAccount,
    SequenceError,
    SettleRefused,
    StageRefused,
    StageUsed,
)
from seqdata.safeguards.bounds import Limits
from seqdata.safeguards.lives import OpenIntent
from seqdata.safeguards.outcomes import (
    Completed,
    ConfirmOutcome,
    Failed,
    Rehearsed,
    Returned,
    Settlement,
    Unknown,
)
from seqdata.safeguards.staged import StagedTransfer
from seqdata.sources.base import Account, View
from seqdata.widgets.panel.words import sentence_of

Entry = Mapping[str, Any]

#: What is shown while something is under way.
DOING = {
    "read": "Reading the accounts…",
    "stage": "Checking the transfer; nothing is sent…",
    "confirm": "Sending, once. Do not send it elsewhere…",
    "rehearse": "Rehearsing; nothing is sent…",
    "cancel": "Cancelling…",
    "settle": "Reading the activity to find out…",
    "again": "Reading the balances again…",
    "note": "Reading the audit log…",
}

#: Which of these need a staged transfer, and which need that there is none.
_WITH_STAGED = frozenset({"confirm", "rehearse", "cancel"})
_WITHOUT_STAGED = frozenset({"stage"})


@dataclass(frozen=True)
class Said:
    """A sentence for the person: an alert (`is_alert`), or only a notice; of an error its kind."""

    text: str
    is_alert: bool = True
    kind: str = ""


@dataclass(frozen=True)
class Last:
    """The last transfer that was accepted: the ids of its ends, and its note."""

    source_id: str
    destination_id: str
    note: str = ""


@dataclass(frozen=True)
class PanelState:
    """All that the panel knows at a moment.

    `is_sandbox` is None as long as the service has not answered. `is_attended`: somebody is
    there to look. `doing` is what is under way, a key of :data:`DOING`, or "". `returned` are
    transfers that failed at the service after it took them; `last` is the one that can be taken
    again. `said` is what the last thing that was asked for said; `troubles` what the files of the
    desk say now.
    """

    app_url: str
    user: str
    is_read_only: bool = False
    is_sandbox: bool | None = None
    is_attended: bool = True
    doing: str = ""
    accounts: tuple[Account, ...] = ()
    limits: Limits | None = None
    staged: StagedTransfer | None = None
    sent: StagedTransfer | None = None
    outcome: ConfirmOutcome | None = None
    open_intents: tuple[OpenIntent, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    returned: tuple[Settlement, ...] = ()
    events: tuple[Entry, ...] = ()
    once_known: frozenset[str] = frozenset()
    last: Last | None = None
    said: tuple[Said, ...] = ()
    troubles: tuple[str, ...] = ()
    is_closed: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether nothing of the account is shown: a real one, and nobody there to look.

        What a runner executes is saved with all that the panel held.
        """
        return not (self.is_attended or self.is_sandbox is True)

    @property
    def is_idle(self) -> bool:
        """Whether something can be asked for."""
        return not (self.is_busy or self.is_closed)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self.doing != ""

    @property
    def is_reading_again(self) -> bool:
        """Whether the balances are to be read again, since money may have moved."""
        return self.doing == "again"

    @property
    def is_to_be_settled(self) -> bool:
        """Whether the next thing to do is to find out what became of a transfer."""
        return isinstance(self.outcome, Unknown) or self.needs_despite

    @property
    def needs_despite(self) -> bool:
        """Whether only an open transfer stands in the way of the last review."""
        return any(one.kind == OutcomeOpen.__name__ for one in self.said)


# -- what is asked for ------------------------------------------------------------------------


def begin(state: PanelState, action: str) -> PanelState | None:
    """Take up an action; None where it cannot be now: a second click, a closed panel."""
    has_staged = state.staged is not None
    if not state.is_idle:
        return None
    if (action in _WITH_STAGED and not has_staged) or (action in _WITHOUT_STAGED and has_staged):
        return None
    begun = replace(state, doing=action, said=())
    return begun if action == "read" else replace(begun, outcome=None, sent=None, settlements=())


def done(state: PanelState) -> PanelState:
    """End what was asked for: what follows only reads, and says so from this moment on."""
    moved = isinstance(state.outcome, Completed | Returned | Unknown) or any(
        isinstance(one.outcome, Completed | Returned) for one in state.settlements
    )
    # An error in the midst of it may have come after the sending.
    may_have = state.doing == "confirm" and not isinstance(state.outcome, Rehearsed | Failed)
    is_stale = state.doing in ("confirm", "settle") and (moved or may_have)
    return replace(state, doing="again" if is_stale else "note")


def ended(state: PanelState) -> PanelState:
    """End what is under way."""
    return replace(state, doing="")


def closed(state: PanelState) -> PanelState:
    """Keep nothing but where it was."""
    return PanelState(state.app_url, state.user, is_closed=True)


# -- what came of it --------------------------------------------------------------------------


def looked(state: PanelState, view: View) -> PanelState:
    """Take in the accounts that were read."""
    return replace(state, accounts=tuple(view.accounts), is_sandbox=view.is_sandbox)


def reviewed(state: PanelState, staged: StagedTransfer) -> PanelState:
    """Take in the transfer that was staged."""
    return replace(state, staged=staged, is_sandbox=staged.is_sandbox)


def cancelled(state: PanelState) -> PanelState:
    """Let go of the staged transfer that was given up."""
    return replace(state, staged=None, said=(Said("Cancelled. Nothing was sent.", False),))


def concluded(state: PanelState, outcome: ConfirmOutcome) -> PanelState:
    """Take in an outcome; after a rehearsal the staged transfer can still be sent."""
    kept = state.staged if isinstance(outcome, Rehearsed) else None
    return replace(state, outcome=outcome, sent=state.staged, staged=kept)


def settled(state: PanelState, settlements: Iterable[Settlement]) -> PanelState:
    """Take in what the activity says about open transfers."""
    found = tuple(settlements)
    said = () if found else (Said("Every transfer has a known outcome.", False),)
    return replace(state, settlements=found, said=said)


def noted(
    state: PanelState,
    *,
    is_read_only: bool,
    is_attended: bool,
    limits: Limits | None,
    open_intents: Iterable[OpenIntent],
    returned: Iterable[Settlement],
    events: Iterable[Entry],
    once_known: frozenset[str],
    last: Last | None,
    troubles: Iterable[str],
) -> PanelState:
    """Take in what the desk's files say now."""
    return replace(
        state,
        is_read_only=is_read_only,
        is_attended=is_attended,
        limits=limits,
        open_intents=tuple(open_intents),
        returned=tuple(returned),
        events=tuple(events),
        once_known=once_known,
        last=last,
        troubles=tuple(troubles),
    )


# -- what went wrong --------------------------------------------------------------------------


def refused(state: PanelState, error: BaseException) -> PanelState:
    """Show the sentence of the error that an action ended in, whatever it is.

    A staged transfer that cannot be used any more, or that may have been sent, is let go.
    """
    is_spent = not isinstance(error, SequenceError) and state.doing in _WITH_STAGED
    is_spent = is_spent or isinstance(error, StageRefused | RenamedAccount | OutcomeNotRecorded)
    staged = None if is_spent else state.staged
    settled = tuple(error.settled) if isinstance(error, SettleRefused) else state.settlements
    said = (*state.said, sentence(error, state.doing))
    return replace(state, staged=staged, settlements=settled, said=said)


def sentence(error: BaseException, doing: str = "") -> Said:
    """Say an error; one that nobody expected by its kind alone, since its text may say anything."""
    kind = type(error).__name__
    if isinstance(error, SequenceError):
        return Said(sentence_of(error), not isinstance(error, StageUsed), kind)
    advice = (
        "Whether anything was sent is in the recent events below: look before you try again."
        if doing == "confirm"
        else "Nothing was sent by this."
    )
    return Said(
        f"Something that seqdata did not expect happened ({kind}). {advice} "
        "The log has the details.",
        kind=kind,
    )
