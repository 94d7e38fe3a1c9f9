"""What became of a transfer, and the words for it: what happened, what to do, what not to do.

==========  ===========  ==========================================================================
status      accepted     meaning
==========  ===========  ==========================================================================
completed   True         the service took it: the money has arrived, or is on its way (`arrived`)
failed      False        it never left, or was refused: nothing moved, and nothing stays counted
failed      True         it was taken and then failed at the service; it stays counted for its day
unknown     None         the money may have moved: never send it again, settle it
dry run     False        everything was done but the sending
==========  ===========  ==========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from seqdata.core.shown import Shown
from seqdata.core.text import printable
from seqdata.safeguards.lives import OpenIntent


@dataclass(frozen=True, repr=False)
class Completed(Shown):
    """The service accepted the transfer.

    Parameters
    ----------
    transfer_id, why_no_id
        The service's id; where it could not be learned it is None, and `why_no_id` says why.
    arrived
        Whether the service says that the money is there. Between pods that is at once, to an
        outside account it takes days.
    service_status
        The service's own word, where it was seen.
    """

    transfer_id: str | None
    why_no_id: str = ""
    intent_id: str = ""
    arrived: bool = field(default=False, compare=False)
    service_status: str | None = field(default=None, compare=False)
    status: ClassVar[str] = "completed"
    accepted: ClassVar[bool | None] = True

    def __str__(self) -> str:
        which = self.transfer_id or f"its id is not known: {self.why_no_id}"
        taken = f"Completed: the service accepted the transfer ({printable(which)})."
        if self.arrived:
            return f"{taken} The money has arrived."
        word = printable(self.service_status or "")
        says = f" (the service says {word})" if word else ""
        return (
            f"{taken} The money is on its way and has not arrived yet{says}. Do not send it "
            "again; seqdata transfer settle says when it fails there."
        )


@dataclass(frozen=True, repr=False)
class Failed(Shown):
    """Nothing was moved. `reason` is why."""

    reason: str
    intent_id: str = ""
    status: ClassVar[str] = "failed"
    accepted: ClassVar[bool | None] = False
    arrived: ClassVar[bool] = False
    service_status: ClassVar[str | None] = None

    def __str__(self) -> str:
        return f"Failed, nothing was moved: {printable(self.reason)}"


@dataclass(frozen=True, repr=False)
class Returned(Shown):
    """The service accepted the transfer, and it failed there, at once or days later.

    `service_status` is the service's word for it (FAILED, CANCELLED, …), `reason` its reason.
    The amount stays counted for its day.
    """

    transfer_id: str | None
    service_status: str | None = None
    reason: str = ""
    intent_id: str = ""
    status: ClassVar[str] = "failed"
    accepted: ClassVar[bool | None] = True
    arrived: ClassVar[bool] = False

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        said = f"{self.transfer_id or 'id not known'}, {self.service_status or 'reversed'}{why}"
        return (
            f"Accepted, and then failed at the service ({printable(said)}). The money did not "
            "arrive. It goes back to where it came from, which can take days: look at that "
            "balance before you send it again. The amount stays counted for its day."
        )


@dataclass(frozen=True, repr=False)
class Unknown(Shown):
    """The money may have moved, or not. Never send it again; settle it. `why` is the reason."""

    why: str
    intent_id: str = ""
    status: ClassVar[str] = "unknown"
    accepted: ClassVar[bool | None] = None
    arrived: ClassVar[bool] = False
    service_status: ClassVar[str | None] = None

    def __str__(self) -> str:
        return (
            f"Unknown: the money may have moved, or not ({printable(self.why)}). Do not send it "
            "again: seqdata transfer settle finds out."
        )


@dataclass(frozen=True, repr=False)
class Rehearsed(Shown):
    """A dry run went through everything but the sending."""

    intent_id: str = ""
    status: ClassVar[str] = "dry run"
    accepted: ClassVar[bool | None] = False
    arrived: ClassVar[bool] = False
    service_status: ClassVar[str | None] = None

    def __str__(self) -> str:
        return "Dry run: every check passed, and nothing was sent."


Outcome: TypeAlias = Completed | Failed | Returned | Unknown
ConfirmOutcome: TypeAlias = Completed | Failed | Returned | Unknown | Rehearsed


@dataclass(frozen=True, repr=False)
class Settlement(Shown):
    """What settling found out about a transfer.

    `candidates` are the transfers that it can be, where a person has to choose: ids and when
    they were created. `may_be_assumed_failed`: it was not found for so long that a person may
    give it up.
    """

    intent: OpenIntent
    outcome: Outcome
    candidates: tuple[tuple[str, str], ...] = ()
    may_be_assumed_failed: bool = False

    @property
    def sentence(self) -> str:
        """What it says, on one line."""
        return f"{printable(self.intent.what)}: {self.outcome}"

    def __str__(self) -> str:
        return f"{printable(self.intent.what)}\n  {self.outcome}"
