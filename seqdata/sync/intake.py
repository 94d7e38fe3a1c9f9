"""What one sync takes in: into the record, and into its report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from seqdata.sources.base import Delivery, Snapshot, Source, Window
from seqdata.store import Store, Upsert
from seqdata.sync.options import SyncOptions
from seqdata.sync.report import Cost, OnProgress, Progress, SyncReport


class Intake:
    """The one door from a source to the record, for one sync.

    Attributes
    ----------
    state
        How far the reading came, as it is in the record.
    report
        What the sync did so far.
    is_lagging
        Whether an older answer came than one that is here.
    older
        Transfers that were shown otherwise than they are here, as of before.
    slips
        Transfers that changed although they say that they did not, or lack what all have.
    """

    def __init__(
        self, source: Source, store: Store, options: SyncOptions, on_progress: OnProgress | None
    ) -> None:
        self._source, self._store, self._options = source, store, options
        self._on_progress = on_progress
        self._first_request = source.requests
        self._run: int | None = None
        self.state = store.read_state()
        self.report = SyncReport(source.organization_id, "", Window())
        self.is_lagging = False
        self.older: dict[str, None] = {}
        self.slips: dict[str, None] = {}

    @property
    def requests(self) -> int:
        """How many requests this sync has sent."""
        return self._source.requests - self._first_request

    def begin(self, at: datetime) -> None:
        """Note in the record that the sync begins."""
        self._run = self._store.begin_run(source=self._source.name, at=at)

    def note(self, **facts: Any) -> None:
        """Note in the record what the sync read."""
        assert self._run is not None
        self._store.note_run(self._run, **facts)

    def take(self, delivery: Delivery, *, overrules: bool = False, **progress: Any) -> None:
        """Take in what the source delivered; `progress` are changes of the state with it."""
        if not self._options.keep_answers:
            delivery = replace(delivery, bodies=None)
        state = replace(self.state, **progress)
        found = self._store.take(
            delivery, state, source=self._source.name, run=self._run, overrules=overrules
        )
        self.state = state
        if not isinstance(delivery, Snapshot):
            self._count(found)

    def remove(self, ids: list[str], at: datetime) -> None:
        """Mark transfers as gone from the service."""
        self._store.mark_removed(ids, at, source=self._source.name, run=self._run)
        self.report.removed.extend(ids)

    def update(self, **changes: Any) -> None:
        """Note changes of the state."""
        state = replace(self.state, **changes)
        if state != self.state:
            self._store.write_state(state)
            self.state = state

    def tell(self, stage: str, read: int, expected: int | None, cost: Cost | None = None) -> None:
        """Tell whoever waits how far the sync is."""
        if self._on_progress is not None:
            self._on_progress(Progress(stage, read, expected, self.requests, cost))

    def _count(self, upsert: Upsert) -> None:
        self.report.added += upsert.added
        self.report.updated += upsert.updated
        self.report.moved.extend(upsert.moved)
        self.report.changed.extend(upsert.changes)
        self.slips |= dict.fromkeys(upsert.slips)
        self.older |= dict.fromkeys(upsert.older)
        self.is_lagging |= bool(upsert.stale)
        for id_ in upsert.stale:
            self._source.drift.note("updatedAt: older than known, passed over", id_)
