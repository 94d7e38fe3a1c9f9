"""Taking in what came: into the archive, then the tables, then the state."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from seqdata.schemas import BALANCES
from seqdata.source import Delivery, Page, Snapshot, TransferDetails
from seqdata.store import State, Store, Upsert
from seqdata.store.archive import Record

log = logging.getLogger("seqdata")


class Reader(Protocol):
    """Reads kept answers again."""

    def read(self, kind: str, data: Any, served_at: datetime) -> Delivery:
        """Read the body of a kept answer, as the method that fetched it did."""


class Journal:
    """The one way of a sync into the tables of a store.

    A record goes to the archive first. A crash between archive and tables is mended by
    :meth:`recover`, which applies the record that the state does not know of yet: applied twice
    is applied once. So the tables always are what the archive makes.
    """

    def __init__(self, store: Store, reader: Reader, *, keep_archive: bool) -> None:
        self._store, self._reader = store, reader
        self._keep_archive = keep_archive
        self.state: State = store.read_state()
        if not keep_archive and not self.state.archive_gap:
            self.update(archive_gap=True)

    def update(self, **changes: Any) -> None:
        """Change the state, on disk too."""
        self.state = replace(self.state, **changes)
        self._store.write_state(self.state)

    def recover(self) -> None:
        """Apply what a sync that died had archived and not applied.

        Without an archive too: applied by a later sync, it would undo what came since.
        """
        for record in self._store.archive.records(after=self.state.applied_seq):
            log.info("applying what an interrupted sync archived: seq=%d", record.seq)
            apply_record(self._store, self._reader, record)
            self.update(applied_seq=record.seq)

    def take(self, delivery: Delivery, **progress: Any) -> Upsert:
        """Take in what the source delivered; `progress` are changes of the state with it."""
        raw = delivery.raw
        seq = self._archive(raw.kind, raw.facts, raw.served_at, raw.body) if raw else None
        upsert = apply(self._store, delivery)
        self._applied(seq, progress)
        return upsert

    def take_removed(self, ids: Iterable[str], at: datetime) -> Upsert:
        """Mark transfers that vanished."""
        removed = list(ids)
        seq = self._archive("removed", {"ids": removed}, at)
        upsert = self._store.mark_removed(removed, at)
        self._applied(seq, {})
        return upsert

    def note_window(self, facts: dict[str, Any], at: datetime) -> None:
        """Note that a window was read whole."""
        self._applied(self._archive("window", facts, at), {})

    def _archive(
        self, kind: str, facts: dict[str, Any], at: datetime, body: bytes | None = None
    ) -> int | None:
        if not self._keep_archive:
            return None
        return self._store.archive.append(kind, facts, served_at=at, body=body)

    def _applied(self, seq: int | None, changes: dict[str, Any]) -> None:
        if seq is not None:
            changes = {**changes, "applied_seq": seq}
        if changes:
            self.update(**changes)


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
