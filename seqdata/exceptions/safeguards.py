"""Refused to protect money; and a transfer that was sent, whose outcome no disk takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqdata.core.text import format_cents
from seqdata.exceptions.base import SequenceError, told, without_stop


@told
class OutcomeNotRecorded(SequenceError):
    """What became of a transfer could not be written down. ``outcome`` says what did."""

    status: str
    intent_id: str
    reason: str
    outcome: str = ""
    exit_code = 7
    sentence = (
        "The outcome of the transfer {intent_id} is {status!r}{_outcome}, but that could not be "
        "written down ({_reason}). Do not send it again: it counts as sent. Mend the disk, then "
        "run seqdata transfer settle."
    )

    @property
    def _outcome(self) -> str:
        return f" ({without_stop(self.outcome)})" if self.outcome else ""

    @property
    def _reason(self) -> str:
        return without_stop(self.reason)


class SafeguardError(SequenceError):
    """Refused to protect money. Nothing was sent."""

    exit_code = 6


@told
class ReadOnlyMode(SafeguardError):
    """SEQUENCE_READ_ONLY is on, and the document contains a mutation."""

    operation: str = ""
    sentence = (
        "{_which} would change something, and SEQUENCE_READ_ONLY is 1. Nothing was sent. Set "
        "SEQUENCE_READ_ONLY=0 to allow it."
    )

    @property
    def _which(self) -> str:
        return self.operation or "The document"


@told
class StillHeld(SafeguardError):
    """Another program has held the transfers of a data folder for too long."""

    lock: Path
    holder: str
    seconds: float
    sentence = (
        "{lock} was held by {holder} for {seconds:.0f} seconds. Nothing was sent by this program. "
        "Let that one end, or end it, then try again."
    )


@told
class TurnLost(SafeguardError):
    """The lock that keeps transfers apart was taken away while it was held."""

    lock: Path
    sentence = (
        "{lock} was removed or replaced while it was held, so that another program may be sending. "
        "Nothing was sent by this one. Leave that file alone, and try again."
    )


@told
class LimitsUnreadable(SafeguardError):
    """The file of the daily limits cannot be read, so no transfer may pass."""

    path: Path
    reason: str
    sentence = (
        "The daily limits in {path} cannot be read ({reason}), so what was moved today is not "
        "known. Nothing was sent and the file is unchanged. Restore it from a backup, or, after "
        "checking today's transfers, move it away."
    )


@told
class AuditChainBroken(SafeguardError):
    """Something other than seqdata changed the audit log, so no transfer may pass."""

    path: Path
    breaks: Sequence[str]
    sentence = (
        "The audit log {path} is not as it was written ({_found}). Nothing was sent. See all of it "
        "with seqdata audit verify. If you know why, or have compared the log with your transfers "
        "(seqdata audit reconcile), accept it as it is with: seqdata audit acknowledge."
    )

    @property
    def _found(self) -> str:
        more = len(self.breaks) - 3
        return "; ".join(self.breaks[:3]) + (f"; and {more} more" if more > 0 else "")


# -- a check of the transfer desk said no -----------------------------------------------------


class TransferRefused(SafeguardError):
    """A check of the transfer desk said no. Nothing was sent."""


@told
class AmountTooSmall(TransferRefused):
    """An amount of nothing or less, or below what the service moves. Both are in cents."""

    amount_cents: int
    least_cents: int
    sentence = (
        "{amount_cents:dollars} cannot be moved: the least that the service moves is "
        "{least_cents:dollars}. Nothing was sent."
    )


@told
class NoteNotAllowed(TransferRefused):
    """A note that is too long, or not printable. ``length`` and ``longest`` are in characters."""

    length: int
    longest: int
    sentence = "The note has {_what}"

    @property
    def _what(self) -> str:
        if self.length <= self.longest:
            return (
                "characters that cannot be printed, such as line ends. "
                "Nothing was sent. Write it in one line."
            )
        return (
            f"{self.length} characters, and at most {self.longest} go with a "
            "transfer. Nothing was sent. Shorten it."
        )


@told
class SameAccount(TransferRefused):
    """Source and destination are the same account."""

    account: str
    sentence = "{account} is both source and destination. Nothing was sent."


@told
class SourceNotAllowed(TransferRefused):
    """The service does not let money be taken from this account."""

    account: str
    sentence = (
        "{account} cannot be the source of a transfer: the service does not take money from it. "
        "Nothing was sent."
    )


@told
class TransferLimitExceeded(TransferRefused):
    """More than one transfer may move. Both are in cents."""

    amount_cents: int
    limit_cents: int
    sentence = (
        "{amount_cents:dollars} is more than one transfer may move ({limit_cents:dollars}). "
        "Nothing was sent. The limit is SEQUENCE_MAX_TRANSFER_CENTS, and never above "
        "$21,474,836.47."
    )


@told
class DailyLimitExceeded(TransferRefused):
    """More than what is left of the day's limit, over all users. All are in cents."""

    amount_cents: int
    limit_cents: int
    used_cents: int
    day: str
    sentence = (
        "{amount_cents:dollars} is more than what is left for {day}: {left_cents:dollars} of "
        "{limit_cents:dollars}, since {used_cents:dollars} were moved or are reserved, over all "
        "users. Nothing was sent. The limit is SEQUENCE_MAX_DAILY_TRANSFER_CENTS."
    )

    @property
    def left_cents(self) -> int:
        """What is left of the day's limit."""
        return max(0, self.limit_cents - self.used_cents)


@told
class BalanceUnknown(TransferRefused):
    """The service does not say what the source holds."""

    account: str
    sentence = (
        "The service does not say what {account} holds, so it cannot be checked that the amount is "
        "there. Nothing was sent."
    )


@told
class InsufficientBalance(TransferRefused):
    """The source holds less than the amount. Both are in cents."""

    account: str
    amount_cents: int
    balance_cents: int
    sentence = (
        "{account} holds {balance_cents:dollars}, which is less than {amount_cents:dollars}. "
        "Nothing was sent."
    )


@told
class BalanceFell(TransferRefused):
    """The source holds less than was shown at review. All are in cents."""

    account: str
    shown_cents: int
    own_cents: int
    balance_cents: int
    sentence = (
        "{account} held {shown_cents:dollars} when you looked{_own}, and now holds "
        "{balance_cents:dollars}: something else took money. Nothing was sent. Stage the transfer "
        "again to see what is there."
    )

    @property
    def _own(self) -> str:
        own = format_cents(self.own_cents)
        return f" and {own} of it were moved by you" if self.own_cents else ""


@told
class RenamedAccount(TransferRefused):
    """An account has another name, or is of another kind, than was shown at review."""

    was: str
    now: str
    account_id: str
    sentence = (
        "You reviewed {was}, and the service calls it {now} now ({account_id}): it was renamed "
        "since you looked. Nothing was sent. Stage the transfer again, and see where the money "
        "goes."
    )


@told
class OutcomeOpen(TransferRefused):
    """An earlier transfer between the same accounts has no known outcome yet."""

    amount_cents: int
    source: str
    destination: str
    since: str
    sentence = (
        "It is not known whether {amount_cents:dollars} moved from {source} to {destination} (sent "
        "{since}). Nothing was sent now. Find out with seqdata transfer settle, or stage with "
        "despite_unknown=True (--despite-unknown)."
    )


@told
class ClockOff(TransferRefused):
    """The clock of this machine and that of the service are too far apart for a day's limit."""

    here: str
    there: str
    sentence = (
        "This machine's clock says {here}, the service's {there}: which day a transfer counts to "
        "is not sure. Nothing was sent. Set the clock, then try again."
    )


class NobodyThere(TransferRefused):
    """A transfer at a real service where nobody can answer."""

    sentence = (
        "Nobody can answer here (there is no terminal, or a notebook that runs by itself), and "
        "this is a real account. Nothing was sent. Set SEQUENCE_ALLOW_UNATTENDED_TRANSFERS=1 to "
        "allow it."
    )


# -- a staged transfer that cannot be used ----------------------------------------------------


class StageRefused(SafeguardError):
    """A staged transfer cannot be used. Nothing was sent."""


@told
class StageUnknown(StageRefused):
    """No desk of this data folder staged this, or it was changed since."""

    stage_id: str
    sentence = (
        "The staged transfer {stage_id} is not one that was staged with this data folder and "
        "server, or it was changed since. Nothing was sent. Stage it again."
    )


@told
class StageUsed(StageRefused):
    """A staged transfer is used once. ``state`` is what became of it."""

    stage_id: str
    state: str
    sentence = (
        "The staged transfer {stage_id} was used already ({state}). Nothing was sent now. Stage "
        "another one, if you mean to move money again."
    )


@told
class StageExpired(StageRefused):
    """A staged transfer was confirmed too late. ``seconds`` is how long one lives."""

    stage_id: str
    seconds: int
    sentence = (
        "The staged transfer {stage_id} has expired: one lives {seconds} seconds "
        "(SEQUENCE_STAGE_SECONDS). Nothing was sent. Stage it again to see what is there now."
    )


@told
class ForeignStage(StageRefused):
    """A staged transfer belongs to the user that staged it."""

    owner: str
    user: str
    sentence = (
        "This transfer was staged by {owner!r}, and you are {user!r} (SEQUENCE_USER). Nothing was "
        "sent. Stage one of your own."
    )


@told
class SettleRefused(SafeguardError):
    """An open transfer cannot be settled the way it was asked; ``settled`` has the others."""

    intent_id: str
    reason: str
    sentence = (
        "The transfer {intent_id} cannot be settled like that: {reason}. It stays open, and its "
        "amount stays reserved."
    )
