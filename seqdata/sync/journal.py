"""Taking in what came: into the archive, then the tables, then the state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from seqdata.core.logs import logger
from seqdata.sources.base import Delivery, Page, Snapshot, TransferDetails
from seqdata.sources.schemas import BALANCES
from seqdata.store import Store, SyncState, Upsert
from seqdata.store.archive import Record

log = logger(__name__)


class Reader(Protocol):
    """Reads kept answers again."""

    def read(self, kind: str, data: Any, served_at: datetime) -> Delivery:
        """Read the body of a kept answer, as the method that fetched it did."""


#: Pages that come quicker than this, in seconds, are written together; at most so many.
BURST_SECONDS, BURST_PAGES = 0.5, 40


class Journal:
    """The one way of a sync into the tables of a store.

    A record goes to the archive first. A crash between archive and tables is mended by
    :meth:`recover`, which applies the records that the state does not know of yet: applied twice
    is applied once. So the tables always are what the archive makes.

    Pages that come in a burst (from a sandbox; the pace of a real service has none) are put into
    the tables together. The state on disk is never ahead of the tables.

    Parameters
    ----------
    on_upsert
        Called with what each write of transfers into the tables did.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        *,
        keep_archive: bool,
        on_upsert: Callable[[Upsert], None] = lambda _: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._reader = store, reader
        self._keep_archive = keep_archive
        self._on_upsert = on_upsert
        self._timer = timer
        self._waiting: list[Page] = []
        self._waiting_ids: set[str] = set()
        self._written_at = -BURST_SECONDS
        self.state: SyncState = store.read_state()
        if not keep_archive and not self.state.archive_gap:
            self.update(archive_gap=True)

    def update(self, **changes: Any) -> None:
        """Change the state, on disk too."""
        self.flush()
        self.state = replace(self.state, **changes)
        self._store.write_state(self.state)

    def recover(self) -> None:
        """Apply what a sync that died had archived and not applied."""
        archive = self._store.archive
        if self.state.applied_seq == 0 and archive.last_seq > BURST_PAGES + 1:
            # No sync dies so far ahead of its state: the state was lost, the tables were not.
            log.warning("the state was lost: the archived answers count as applied")
            self.update(applied_seq=archive.last_seq)
        for record in archive.records(after=self.state.applied_seq):
            log.info("applying what an interrupted sync archived: seq=%d", record.seq)
            apply_record(self._store, self._reader, record)
            self.update(applied_seq=record.seq)

    def take(self, delivery: Delivery, **progress: Any) -> None:
        """Take in what the source delivered; `progress` are changes of the state with it."""
        if not isinstance(delivery, Page) or not self._joins(delivery):
            self.flush()
        raw = delivery.raw
        seq = self._archive(raw.kind, raw.facts, raw.served_at, raw.body) if raw else {}
        if isinstance(delivery, Page):
            self._waiting.append(delivery)
            self._waiting_ids.update(map(str, delivery.rows["id"].to_pylist()))
            self.state = replace(self.state, **progress, **seq)
            if self._timer() - self._written_at > BURST_SECONDS:
                self.flush()
            return
        upsert = apply(self._store, delivery)
        if isinstance(delivery, TransferDetails):
            self._on_upsert(upsert)
        self.update(**progress, **seq)

    def take_removed(self, ids: Iterable[str], at: datetime) -> None:
        """Mark transfers that vanished."""
        self.flush()
        removed = list(ids)
        seq = self._archive("removed", {"ids": removed}, at)
        self._store.mark_removed(removed, at)
        self.update(**seq)

    def note_window(self, facts: dict[str, Any], at: datetime) -> None:
        """Note that a window was read whole."""
        self.flush()
        self.update(**self._archive("window", facts, at))

    def flush(self) -> None:
        """Write the pages that wait into the tables, then the state that speaks of them."""
        if not self._waiting:
            return
        rows = pa.concat_tables([page.rows for page in self._waiting])
        self._on_upsert(self._store.upsert_transfers(rows, seen_at=self._waiting[0].served_at))
        self._waiting, self._waiting_ids = [], set()
        self._store.write_state(self.state)
        self._written_at = self._timer()

    def _joins(self, page: Page) -> bool:
        """Whether writing it with the pages that wait is the same as writing it after them."""
        if not self._waiting:
            return True
        return (
            len(self._waiting) < BURST_PAGES
            and page.served_at == self._waiting[0].served_at
            and self._waiting_ids.isdisjoint(page.rows["id"].to_pylist())
        )

    def _archive(
        self, kind: str, facts: dict[str, Any], at: datetime, body: bytes | None = None
    ) -> dict[str, Any]:
        """Append a record; return the change of the state that says it was applied."""
        if not self._keep_archive:
            return {}
        return {"applied_seq": self._store.archive.append(kind, facts, served_at=at, body=body)}


def apply(store: Store, delivery: Delivery) -> Upsert:
    """Write what a source delivered into the tables."""
    if isinstance(delivery, Snapshot):
        store.append_balances(delivery.balances)
        return store.upsert_accounts(delivery.accounts, seen_at=delivery.served_at)
    if isinstance(delivery, Page):
        return store.upsert_transfers(delivery.rows, seen_at=delivery.served_at)
    assert isinstance(delivery, TransferDetails)
    upsert = store.upsert_transfers(delivery.rows, seen_at=delivery.served_at)
    store.upsert_details(delivery.details, delivery.legs)  # which lie in the transfers' months
    return upsert


def apply_record(store: Store, reader: Reader, record: Record) -> None:
    """Write a record of the archive into the tables, as it was written the first time."""
    if record.kind == "removed":
        store.mark_removed(record.facts["ids"], record.served_at)
    elif record.kind != "window":
        apply(store, reader.read(record.kind, record.body, record.served_at))


def add_statement(store: Store, account_id: str, as_of: datetime, cents: int) -> None:
    """Record a balance that a person read from a statement; a rebuild keeps it."""
    row = {
        "organization_id": store.organization_id,
        "account_id": account_id,
        "as_of": as_of,
        "balance_cents": cents,
        "origin": "statement",
    }
    store.append_balances(pa.Table.from_pylist([row], schema=BALANCES))
