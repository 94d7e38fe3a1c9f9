"""The tables of one organization: the one door to what is on this disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from seqdata.core.arrow import pc
from seqdata.core.files import remove_leftovers
from seqdata.core.origins import origin_of
from seqdata.exceptions import CacheLocked, ForeignCache, InvalidFilter
from seqdata.sources.schemas import (
    ACCOUNT_ROWS,
    ACCOUNTS,
    ANNOTATIONS,
    BALANCES,
    DETAILS,
    LEGS,
    PARTY_COLUMNS,
    READ_HISTORY,
    READ_LEGS,
    READ_TRANSFERS,
    READ_VERSIONS,
    TRANSFERS,
)
from seqdata.sources.webapp.words import in_our_words, raw_columns
from seqdata.store import rebuild
from seqdata.store.archive import Archive
from seqdata.store.details import DetailsWriter, read_details, read_legs
from seqdata.store.history import History
from seqdata.store.lock import CacheLock
from seqdata.store.merge import Upsert, conform, last_of_each, merge_accounts
from seqdata.store.state import SyncState, read_state, write_state
from seqdata.store.tables import empty_table, read_table, write_table
from seqdata.store.transfers import (
    TransferWriter,
    count_transfers,
    newest_created_at,
    read_open,
    read_transfer,
    read_transfers,
)
from seqdata.store.versions import as_of, versions_of

# How long to wait for another process that puts rebuilt tables in their place.
_SWAP_SECONDS = 10.0

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Store:
    """The Parquet tables of one organization. Reading needs no lock; a write takes it.

    Made by :meth:`open`. All moments are UTC. Tables come as ``pyarrow.Table`` in the
    columns of :mod:`seqdata.sources.schemas`.
    """

    folder: Path
    organization_id: str
    app_url: str
    _lock: CacheLock = field(repr=False)
    _writer: TransferWriter | None = field(default=None, repr=False)
    _details: DetailsWriter | None = field(default=None, repr=False)
    _archive: Archive | None = field(default=None, repr=False)

    @classmethod
    def open(cls, cache_dir: Path, organization_id: str, *, app_url: str) -> Store:
        """Look at the cache of an organization; creates nothing.

        A rebuild that was cut off after its new tables counted is brought to its end.

        Parameters
        ----------
        app_url
            Address of the application; only its origin counts.

        Raises
        ------
        CacheVersionMismatch, ForeignCache, CorruptFile
            The state that is there is of another version, of another server, or unreadable.
        """
        folder = Path(cache_dir) / folder_name(organization_id)
        store = cls(folder, organization_id, origin_of(app_url), CacheLock(folder))
        store._heal()
        store.read_state()
        return store

    @property
    def exists(self) -> bool:
        """Whether anything was written here."""
        return self._state_path.exists()

    @contextmanager
    def lock(self, wait: float = 0.0) -> Iterator[None]:
        """Keep every other process from writing while the block runs; readers may go on.

        A write takes the lock by itself; holding it over many writes makes them faster and
        keeps them together.

        Parameters
        ----------
        wait
            Seconds to wait for another holder; 0 refuses at once.

        Raises
        ------
        CacheLocked
            Another process holds it; the error says which, and since when.
        """
        outermost = not self._lock.is_held
        with self._lock.held(wait):
            if outermost:
                self._begin_writing()
            try:
                yield
            finally:
                if outermost:
                    self._writer = self._details = None

    # -- state ------------------------------------------------------------------------------

    def read_state(self) -> SyncState:
        """How far the last sync came; a fresh state where there is none.

        Raises
        ------
        CorruptFile, CacheVersionMismatch, ForeignCache
            See :meth:`open`.
        """
        state = read_state(self._state_path)
        if state is None:
            return SyncState(app_url=self.app_url, organization_id=self.organization_id)
        if origin_of(state.app_url) != self.app_url:
            raise ForeignCache(self.folder, state.app_url, self.app_url)
        return state

    def write_state(self, state: SyncState) -> None:
        """Write the state; data belongs on disk before it.

        Its server and organization are the store's, whatever `state` says.
        """
        with self.lock():
            own = replace(state, app_url=self.app_url, organization_id=self.organization_id)
            write_state(self._state_path, own)

    # -- archive ----------------------------------------------------------------------------

    @property
    def archive(self) -> Archive:
        """What was taken in, in the order it came; its numbers go on from the state's."""
        if self._archive is None:
            floor = self.read_state().applied_seq
            self._archive = Archive(self.folder / "archive", lock=self.lock, floor=floor)
        return self._archive

    # -- writing ----------------------------------------------------------------------------

    def upsert_transfers(self, rows: pa.Table, *, seen_at: datetime) -> Upsert:
        """Merge transfers by id into the months of their created_at.

        A row with a delivered value that changed, or one that was marked removed, leaves its
        earlier version in the history. A row that did not change is only noted as seen.

        Parameters
        ----------
        rows
            TRANSFER_ROWS columns; of rows with one id the last stays.
        seen_at
            The service's time of the answer.

        Raises
        ------
        CacheLocked
            Another process is writing.
        CorruptFile
            A month that the rows belong to cannot be read; nothing was changed.
        FolderNotWritable
            The file system refused. Months already written stay; the same call again
            completes it.
        UnexpectedAnswer
            A row has no id.
        """
        with self._writing_transfers() as writer:
            return writer.upsert(rows, seen_at)

    def mark_removed(self, ids: Iterable[str], at: datetime) -> Upsert:
        """Mark transfers as gone from the service: they stay, with removed_at.

        ``updated`` counts those marked now, ``unchanged`` those that were marked before; ids
        that are not here are passed over.
        """
        with self._writing_transfers() as writer:
            return writer.mark_removed(ids, at)

    def upsert_accounts(self, rows: pa.Table, *, seen_at: datetime) -> Upsert:
        """Take a complete list of the accounts (ACCOUNT_ROWS).

        Accounts that are not in it any more stay, with closed_at.
        """
        with self.lock():
            rows = conform(rows, ACCOUNT_ROWS, ["id"])
            accounts, report = merge_accounts(self.read_accounts(), rows, seen_at)
            write_table(self._file("accounts"), accounts.cast(ACCOUNTS))
            return report

    def append_balances(self, rows: pa.Table) -> None:
        """Add balances (BALANCES); one of the same account and moment is replaced.

        But a statement's (``origin`` "statement") is never replaced by one of another origin:
        a person wrote it down.
        """
        with self.lock():
            key = ["account_id", "as_of"]
            given = conform(rows, BALANCES, [*key, "origin"])
            together = pa.concat_tables([self.read_balances(), given])
            by_hand = pc.equal(together["origin"], "statement")
            ranked = [together.filter(pc.invert(by_hand)), together.filter(by_hand)]
            order = [("as_of", "ascending"), ("account_id", "ascending")]
            balances = last_of_each(pa.concat_tables(ranked).combine_chunks(), key)
            write_table(
                self._file("balances"),
                balances.take(pc.sort_indices(balances, sort_keys=order)),
            )

    def upsert_details(self, details: pa.Table, legs: pa.Table) -> None:
        """Take what was learned about transfers (DETAILS) and all legs of these (LEGS).

        One at a time costs what its month costs to write; many at once cost each month once.
        A leg that is not among `legs` any more is gone.
        """
        with self._writing_transfers() as writer:
            details = conform(details, DETAILS, ["id"])
            legs = conform(legs, LEGS, ["id", "leg"])
            if self._details is None:
                self._details = DetailsWriter(self.folder, writer.months_of)
            self._details.upsert(details, legs)

    def annotate(
        self,
        id: str,  # noqa: A002  # the column's name
        *,
        category: str | None = None,
        note: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Note something about a transfer, by hand; no sync and no rebuild touches it.

        Parameters
        ----------
        category, note
            What to note; None leaves what is there, an empty text removes it.
        at
            The moment, with a zone; now by default.
        """
        with self.lock():
            old = self.read_annotations()
            mine = pc.equal(old["id"], id)
            before = next(iter(old.filter(mine).to_pylist()), {})
            row = {
                "organization_id": self.organization_id,
                "id": id,
                "category": (before.get("category") if category is None else category) or None,
                "note": (before.get("note") if note is None else note) or None,
                "annotated_at": at or datetime.now(UTC),
            }
            kept = [row] if row["category"] or row["note"] else []
            rows = pa.Table.from_pylist(kept, ANNOTATIONS)
            table = pa.concat_tables([old.filter(pc.invert(mine)), rows])
            order = pc.sort_indices(table, sort_keys=[("id", "ascending")])
            write_table(self._file("annotations"), table.take(order))

    @contextmanager
    def rebuild_into(self) -> Iterator[Store]:
        """Make all tables anew: fill the store that is given, and it replaces this one's tables.

        The new store begins empty but for balances of statements and this one's state (with
        ``applied_seq`` 0); it reads this one's archive. Until the block ends, readers see the
        old tables, and the lock is held. If it ends by an error, or a crash, the old tables
        stay; afterwards the new ones count, the state among them. Archive and annotations are
        left as they are.
        """
        with self.lock():
            fresh = self._fresh(rebuild.begin(self.folder))
            try:
                with fresh.lock():
                    fresh.write_state(replace(self.read_state(), applied_seq=0))
                    balances = self.read_balances()
                    fresh.append_balances(
                        balances.filter(pc.equal(balances["origin"], "statement"))
                    )
                    yield fresh
            except BaseException:
                rebuild.drop(self.folder)
                raise
            self._writer = self._details = None
            rebuild.commit(self.folder)

    # -- reading ----------------------------------------------------------------------------

    def read_transfers(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        columns: Sequence[str] | None = None,
        include_removed: bool = False,
        dictionaries: bool = False,
    ) -> pa.Table:
        """Read transfers, newest first, ties by id. Only the months needed are read.

        Parameters
        ----------
        since, until
            Bounds of created_at, with a zone; `until` is exclusive. With either, transfers
            without created_at are left out; otherwise they come last.
        columns
            Names of READ_TRANSFERS, in the order wanted; all by default.
        include_removed
            Also those that vanished from the service.
        dictionaries
            Text columns with few values come dictionary-encoded: what DataFrames are made
            from fastest.

        Raises
        ------
        InvalidFilter
            No such column.
        CorruptFile
            A month cannot be read.
        """
        names = READ_TRANSFERS.names if columns is None else list(columns)
        for name in names:
            if name in PARTY_COLUMNS:
                raise InvalidFilter("columns", name, [PARTY_COLUMNS[name]])
            if name not in READ_TRANSFERS.names:
                raise InvalidFilter("columns", name, READ_TRANSFERS.names)
        rows = read_transfers(
            self.folder / "transfers",
            since=since,
            until=until,
            columns=raw_columns(names),
            include_removed=include_removed,
            dictionaries=dictionaries,
        )
        return in_our_words(rows, pa.schema([READ_TRANSFERS.field(name) for name in names]))

    def read_history(self) -> pa.Table:
        """Read earlier versions of transfers (READ_HISTORY), by id, oldest first."""
        return in_our_words(self._history.read(), READ_HISTORY)

    def history_of(self, id: str) -> pa.Table:  # noqa: A002  # the column's name
        """Read all versions of a transfer (READ_VERSIONS), the present one too, oldest first."""
        # The present before the history: a version written meanwhile is met twice, never lost.
        present = read_transfer(self.folder / "transfers", id)
        earlier = self._history.read(id)
        return in_our_words(versions_of(present, earlier), READ_VERSIONS)

    def transfers_as_of(self, moment: datetime, *, include_removed: bool = False) -> pa.Table:
        """Read the transfers (READ_TRANSFERS) as they were known at a moment, newest first.

        Those first seen later are absent, those that changed are in their version of then.
        ``last_seen_at`` is missing where it is later: when an unchanged row was seen before
        that is not kept.

        Parameters
        ----------
        moment
            With a zone.
        include_removed
            Also those that had vanished from the service by then.
        """
        present = read_transfers(
            self.folder / "transfers",
            since=None, until=None, columns=TRANSFERS.names, include_removed=True,
            dictionaries=False,
        )  # fmt: skip
        rows = as_of(present, self._history.read(), moment)
        kept = rows if include_removed else rows.filter(pc.is_null(rows["removed_at"]))
        return in_our_words(kept, READ_TRANSFERS)

    def count_transfers(self, *, include_removed: bool = False) -> int:
        """Count transfers without reading them."""
        return count_transfers(self.folder / "transfers", include_removed=include_removed)

    def open_transfers(self) -> pa.Table:
        """Read id, created_at, last_seen_at and status of transfers that are not final."""
        columns = ["id", "created_at", "last_seen_at", "status"]
        return read_open(self.folder / "transfers", columns)

    def newest_created_at(self) -> datetime | None:
        """Tell the created_at of the newest transfer that was not removed; None: there is none."""
        return newest_created_at(self.folder / "transfers")

    def ids_between(self, since: datetime | None, until: datetime | None) -> pa.Table:
        """Read id, created_at and last_seen_at of a time's transfers, removed ones left out.

        Bounds are those of :meth:`read_transfers`.
        """
        columns = ["id", "created_at", "last_seen_at"]
        return self.read_transfers(since=since, until=until, columns=columns)

    def read_annotations(self) -> pa.Table:
        """Read what was noted by hand (ANNOTATIONS), by id."""
        return self._read("annotations", ANNOTATIONS)

    def read_accounts(self) -> pa.Table:
        """Read accounts as last seen (ACCOUNTS), by id; closed ones included."""
        return self._read("accounts", ACCOUNTS)

    def read_balances(self) -> pa.Table:
        """Read observed balances (BALANCES), oldest first."""
        return self._read("balances", BALANCES)

    def read_details(self, ids: Iterable[str] | None = None) -> pa.Table:
        """Read what made the transfers (DETAILS), or some of them, by id."""
        return read_details(self.folder, ids)

    def read_legs(self, ids: Iterable[str] | None = None) -> pa.Table:
        """Read the steps of compound transfers (READ_LEGS), or of some, by id and leg."""
        return in_our_words(read_legs(self.folder, ids), READ_LEGS)

    def size(self) -> int:
        """Count the bytes of all files on disk."""
        total = 0
        for path in self.folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:  # a temporary file of a writer at work
                continue
        return total

    # -- inside -----------------------------------------------------------------------------

    @property
    def _state_path(self) -> Path:
        return self.folder / "state.json"

    @contextmanager
    def _writing_transfers(self) -> Iterator[TransferWriter]:
        with self.lock():
            if self._writer is None:
                self._writer = self._new_writer()
            try:
                yield self._writer
            except BaseException:
                # It may have stopped between a month and the index; a new writer looks.
                self._writer = self._details = None
                raise

    def _heal(self) -> None:
        if rebuild.is_unfinished(self.folder):
            with suppress(CacheLocked), self.lock(_SWAP_SECONDS):
                pass

    def _fresh(self, folder: Path) -> Store:
        return Store(
            folder, self.organization_id, self.app_url, CacheLock(folder), _archive=self.archive
        )

    @property
    def _history(self) -> History:
        return History(self.folder / "transfer_history")

    def _new_writer(self) -> TransferWriter:
        return TransferWriter(self.folder / "transfers", self._history, self.folder / "index")

    def _begin_writing(self) -> None:
        if self._lock.predecessor_died:
            remove_leftovers(self.folder)
        rebuild.drop(self.folder)
        if rebuild.is_unfinished(self.folder):
            rebuild.finish(self.folder)
        self._writer = self._details = None
        state = self.read_state()
        if not self.exists:
            # Before the first row: rows of another server must never join these.
            write_state(self._state_path, state)

    def _file(self, name: str) -> Path:
        return self.folder / name / "data.parquet"

    def _read(self, name: str, schema: pa.Schema) -> pa.Table:
        try:
            return read_table(self._file(name), schema)
        except FileNotFoundError:
            return empty_table(schema)


def folder_name(organization_id: str) -> str:
    """Name the folder of an organization: its id, or a hash of one that is no plain name."""
    if _SAFE_NAME.fullmatch(organization_id):
        return organization_id
    return "org-" + hashlib.sha256(organization_id.encode()).hexdigest()[:16]
