"""Whether everything that the service has is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seqdata.store.state import SyncState


@dataclass(frozen=True)
class Certificate:
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

    @property
    def is_as_asked(self) -> bool:
        """Whether nothing is missing but what was left out by choice (``since=``)."""
        return len(self.gaps) == (0 if self.since is None else 1)

    @property
    def is_complete(self) -> bool | None:
        """Whether all is here; None where the service did not count and no gap is known."""
        if self.gaps:
            return False
        return None if self.expected_rows is None else self.rows == self.expected_rows

    def __str__(self) -> str:
        answers = {
            True: f"complete: {self.rows:,} of {self.expected_rows or 0:,} transfers",
            False: f"INCOMPLETE: {self.rows:,} transfers"
            + (f" of {self.expected_rows:,}" if self.expected_rows is not None else ""),
            None: f"{self.rows:,} transfers (the service does not count, so no check)",
        }
        gaps = "".join(f"; {gap}" for gap in self.gaps)
        return f"{answers[self.is_complete]}, {self.open_transfers} open{gaps}"

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        facts = {name: plain(value) for name, value in vars(self).items()}
        return {**facts, "gaps": list(self.gaps), "is_complete": self.is_complete}


def certify(state: SyncState, organization_id: str, rows: int, open_transfers: int) -> Certificate:
    """Say of the tables, as a state speaks of them, whether they are complete."""
    gaps = []
    if state.last_full_at is None:
        gaps.append("the first sync is not finished")
    if state.history_since is not None:
        gaps.append(f"nothing before {state.history_since:%Y-%m-%d} was asked for")
    elif not gaps and state.service_count is not None and rows != state.service_count:
        apart, word = rows - state.service_count, "more" if rows > state.service_count else "fewer"
        gaps.append(
            f"{count_of(abs(apart), 'transfer')} {word} than the service counts: "
            "seqdata sync --full reads everything again"
        )
    return Certificate(
        organization_id=organization_id,
        rows=rows,
        expected_rows=state.service_count,
        since=state.history_since,
        open_transfers=open_transfers,
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
        gaps=tuple(f"{part.organization_id}: {gap}" for part in parts for gap in part.gaps),
        last_sync_at=_oldest([part.last_sync_at for part in parts]),
        last_full_at=_oldest([part.last_full_at for part in parts]),
        finished_at=_oldest([part.finished_at for part in parts]),
    )


def count_of(number: int, thing: str) -> str:
    """Write a number of things: ``"1 page"``, ``"1,200 pages"``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _oldest(moments: Sequence[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) and known else None


def plain(value: Any) -> Any:
    """Return a moment as ISO text, and what is JSON as it is."""
    return value.isoformat() if isinstance(value, datetime) else value
