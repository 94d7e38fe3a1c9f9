"""What the panel asks the desk for: each piece of work ends in a change of the panel's state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from seqdata.core.logs import logger
from seqdata.exceptions import SequenceError
from seqdata.safeguards import StagedTransfer, TransferDesk
from seqdata.widgets.panel import state as panel_state
from seqdata.widgets.panel.state import Entry, Last, PanelState

log = logger(__name__)

T = TypeVar("T")
Change = Callable[[PanelState], PanelState]
Work = Callable[[], Change]

#: How many events of the audit log are shown.
RECENT = 24


def read(desk: TransferDesk) -> Change:
    """Read the accounts: the one request that opening a panel makes."""
    return partial(panel_state.looked, view=desk.look())


def stage(desk: TransferDesk, given: tuple[Any, ...], *, despite_unknown: bool) -> Change:
    """Stage a transfer; `given` is what :meth:`TransferDesk.stage` takes, in its order."""
    staged = desk.stage(*given, despite_unknown=despite_unknown)
    return partial(panel_state.reviewed, staged=staged)


def confirm(desk: TransferDesk, staged: StagedTransfer, *, dry_run: bool) -> Change:
    """Send what is staged, or rehearse it."""
    return partial(panel_state.concluded, outcome=desk.confirm(staged, dry_run=dry_run))


def cancel(desk: TransferDesk, staged: StagedTransfer) -> Change:
    """Give up what is staged."""
    desk.cancel(staged)
    return panel_state.cancelled


def settle(desk: TransferDesk, **decisions: Any) -> Change:
    """Find out what became of open transfers; the decisions are those of the desk's settle."""
    found = desk.settle(**decisions)
    return partial(panel_state.settled, settlements=found)


def last_accepted(entries: Sequence[Entry], user: str) -> Last | None:
    """Return the newest transfer of a user that the service accepted, to take it again."""
    for entry in reversed(entries):
        ends = [entry.get("source_id"), entry.get("destination_id")]
        is_own = entry.get("event_type") == "transfer_completed" and entry.get("user_id") == user
        if is_own and all(isinstance(one, str) for one in ends):
            note = entry.get("note")
            return Last(str(ends[0]), str(ends[1]), note if isinstance(note, str) else "")
    return None


def result(work: Work) -> Change:
    """Do a piece of work; whatever it raises becomes a sentence in the panel."""
    try:
        return work()
    except BaseException as error:
        if not isinstance(error, SequenceError):
            log.exception("transfer panel: %s", type(error).__name__)
        return partial(panel_state.refused, error=error)


def note(desk: TransferDesk, *, is_attended: bool) -> Change:
    """Read what the files of the desk say, without the service; what cannot be read is said."""
    troubles: list[str] = []
    nothing: list[Any] = []
    nobody: frozenset[str] = frozenset()

    def tried(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Exception as error:
            if not isinstance(error, SequenceError):
                log.exception("transfer panel: %s", type(error).__name__)
            troubles.append(panel_state.sentence(error).text)
            return otherwise

    entries = tried(desk.audit.entries, nothing)
    return partial(
        panel_state.noted,
        is_read_only=tried(lambda: desk.is_read_only, False),
        is_attended=is_attended,
        limits=tried(desk.limits, None),
        open_intents=tried(desk.open_intents, nothing),
        returned=tried(desk.returned, nothing),
        events=entries[-RECENT:][::-1],
        last=last_accepted(entries, desk.user),
        once_known=tried(desk.once_known, nobody),
        troubles=troubles,
    )
