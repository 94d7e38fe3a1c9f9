"""Whether everything that the service has is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seqdata.core.shown import Shown
from seqdata.store.shelf import Counts
from seqdata.store.state import MOST_TRIES, SyncState


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """Whether everything that the service has is here, and what is not known.

    Attributes
    ----------
    rows, expected_rows
        Transfers here and in the service, at the last sync; None: the service did not count.
    since
        The beginning of what was read; None: the beginning of the account.
    gaps
        What was never read, in words.
    open_transfers
        Transfers whose status can still change.
    in_doubt, accounts_in_doubt
        Transfers and accounts that are here and that the last reading should have shown and did
        not; it is not known whether they are gone.
    older
        Transfers that the last sync was shown only in an older state than is here: how they are
        now is not known.
    left_out
        How many of the gaps were asked for.
    """

    organization_id: str
    rows: int
    expected_rows: int | None
    since: datetime | None
    open_transfers: int
    gaps: tuple[str, ...]
    last_sync_at: datetime | None
    last_full_at: datetime | None
    finished_at: datetime | None = None
    in_doubt: int = 0
    accounts_in_doubt: int = 0
    older: int = 0
    left_out: int = 0

    @property
    def is_as_asked(self) -> bool:
        """Whether nothing is missing but what was left out by choice (``since=``)."""
        return len(self.gaps) == self.left_out

    @property
    def is_complete(self) -> bool | None:
        """Whether all is here; None where that cannot be checked and no gap is known.

        It cannot where the service did not count, or where transfers are in doubt or were shown
        only in an older state.
        """
        if self.gaps:
            return False
        if self.expected_rows is None or self.in_doubt or self.older:
            return None
        return self.rows == self.expected_rows

    def __str__(self) -> str:
        said = [f"{self._here()}, {self.open_transfers:,} still open", *self.gaps]
        counted = self.expected_rows is not None
        if not counted and not self.gaps:
            said.append("whether these are all is not known: the service gave no count")
        if self.in_doubt:
            kept = f"the service did not show {self.in_doubt:,} of them, {_kept(self.in_doubt)}"
            said.append(f"{kept} (it counts {self.expected_rows:,})" if counted else kept)
        if self.older:
            shown = f"the service showed {count_of(self.older, 'transfer')} in an older state"
            said.append(f"{shown} than is here: the next seqdata sync looks again")
        if self.accounts_in_doubt:
            accounts = count_of(self.accounts_in_doubt, "account")
            said.append(f"the service did not show {accounts}, {_kept(self.accounts_in_doubt)}")
        return "; ".join(said)

    def _here(self) -> str:
        """Say how many transfers are here, and of how many where that can be compared."""
        rows = f"{self.rows:,} transfers"
        if self.is_complete is None:
            return rows
        if self.expected_rows is not None and self.rows <= self.expected_rows:
            rows = f"{self.rows:,} of {self.expected_rows:,} transfers"
        if self.gaps and self.is_as_asked:
            return f"as asked: {rows}"
        return f"complete: {rows}" if self.is_complete else f"INCOMPLETE: {rows}"

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        facts = {name: plain(value) for name, value in vars(self).items()}
        return {**facts, "gaps": list(self.gaps), "is_complete": self.is_complete}


def certify(state: SyncState, organization_id: str, counts: Counts) -> Certificate:
    """Say of the tables, as a state speaks of them, whether they are complete."""
    gaps = []
    rows, expected = counts.rows, state.service_count
    if state.last_full_at is None:
        gaps.append("the first sync is not finished: the next seqdata sync goes on with it")
    if state.history_since is not None:
        gaps.append(f"nothing before {state.history_since:%Y-%m-%d} was asked for")
    elif not gaps and expected is not None and not counts.can_be(expected):
        apart, word = rows - expected, "more" if rows > expected else "fewer"
        next_one = (
            "the next seqdata sync reads everything again"
            if state.can_recount
            else "everything was read again, and it stayed so"
        )
        gaps.append(
            f"{count_of(abs(apart), 'transfer')} {word} than the service counts: {next_one}"
        )
    if state.contradicted and (state.contradicted <= MOST_TRIES or rows != expected):
        # A count that agrees may do so by chance, as long as nothing was read again.
        gaps.append(
            "the last list left out transfers that the service has: "
            "the next seqdata sync reads them again"
        )
    return Certificate(
        organization_id=organization_id,
        rows=rows,
        expected_rows=expected,
        since=state.history_since,
        open_transfers=counts.open,
        left_out=int(state.history_since is not None),
        in_doubt=counts.in_doubt,
        accounts_in_doubt=counts.accounts_in_doubt,
        older=state.older,
        gaps=tuple(gaps),
        last_sync_at=state.last_sync_at,
        last_full_at=state.last_full_at,
        finished_at=state.finished_at,
    )


def combine_certificates(parts: Sequence[Certificate]) -> Certificate:
    """Put certificates of several organizations together; the oldest times count."""
    if len(parts) == 1:
        return parts[0]
    counts = [part.expected_rows for part in parts]
    return Certificate(
        organization_id="all",
        rows=sum(part.rows for part in parts),
        expected_rows=None if None in counts else sum(filter(None, counts)),
        since=max(filter(None, (part.since for part in parts)), default=None),
        open_transfers=sum(part.open_transfers for part in parts),
        left_out=sum(part.left_out for part in parts),
        in_doubt=sum(part.in_doubt for part in parts),
        accounts_in_doubt=sum(part.accounts_in_doubt for part in parts),
        older=sum(part.older for part in parts),
        gaps=tuple(f"{part.organization_id}: {gap}" for part in parts for gap in part.gaps),
        last_sync_at=_oldest([part.last_sync_at for part in parts]),
        last_full_at=_oldest([part.last_full_at for part in parts]),
        finished_at=_oldest([part.finished_at for part in parts]),
    )


def count_of(number: int, thing: str) -> str:
    """Write a number of things: ``"1 page"``, ``"1,200 pages"``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _kept(number: int) -> str:
    """Say what becomes of what is in doubt."""
    them = "it is" if number == 1 else "they are"
    return f"kept here until it is sure that {them} gone"


def _oldest(moments: Sequence[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) and known else None


def plain(value: Any) -> Any:
    """Return a moment as ISO text, and what is JSON as it is."""
    return value.isoformat() if isinstance(value, datetime) else value
