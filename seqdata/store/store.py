"""The tables of one organization: the one door to what is on this disk."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from seqdata.arrow import Column, pc
from seqdata.exceptions import ForeignCache, InvalidFilter
from seqdata.files import remove_leftovers, writing_in
from seqdata.schemas import ACCOUNT_ROWS, ACCOUNTS, BALANCES, DETAILS, LEGS, TRANSFERS
from seqdata.store.history import History
from seqdata.store.lock import CacheLock
from seqdata.store.merge import Upsert, conform, last_of_each, merge_accounts
from seqdata.store.state import State, origin, read_state, write_state
from seqdata.store.tables import empty_table, read_table, write_table
from seqdata.store.transfers import TransferWriter, read_transfers

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Store:
    """The Parquet tables of one organization. Reading needs no lock; a write takes it.

    Made by :meth:`open`. All moments are UTC. Tables come as ``pyarrow.Table`` in the
    columns of :mod:`seqdata.schemas`.
    """

    folder: Path
    organization_id: str
    app_url: str
    _lock: CacheLock = field(repr=False)
    _writer: TransferWriter | None = field(default=None, repr=False)

    @classmethod
    def open(cls, cache_dir: Path, organization_id: str, *, app_url: str) -> Store:
        """Look at the cache of an organization; creates nothing.

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
        store = cls(folder, organization_id, origin(app_url), CacheLock(folder))
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
                    self._writer = None

    # -- state ------------------------------------------------------------------------------

    def read_state(self) -> State:
        """How far the last sync came; a fresh state where there is none.

        Raises
        ------
        CorruptFile, CacheVersionMismatch, ForeignCache
            See :meth:`open`.
        """
        state = read_state(self._state_path)
        if state is None:
            return State(app_url=self.app_url, organization_id=self.organization_id)
        if origin(state.app_url) != self.app_url:
            raise ForeignCache(self.folder, state.app_url, self.app_url)
        return state

    def write_state(self, state: State) -> None:
        """Write the state; data belongs on disk before it.

        Its server and organization are the store's, whatever `state` says.
        """
        with self.lock():
            own = replace(state, app_url=self.app_url, organization_id=self.organization_id)
            write_state(self._state_path, own)

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
        """Add balances (BALANCES); one of the same account and moment is replaced."""
        with self.lock():
            key = ["account_id", "as_of"]
            rows = conform(rows, BALANCES, key)
            together = pa.concat_tables([self.read_balances(), rows]).combine_chunks()
            order = [("as_of", "ascending"), ("account_id", "ascending")]
            balances = last_of_each(together, key)
            write_table(
                self._file("balances"),
                balances.take(pc.sort_indices(balances, sort_keys=order)),
            )

    def upsert_details(self, details: pa.Table, legs: pa.Table) -> None:
        """Take what was learned about transfers (DETAILS) and all legs of these (LEGS)."""
        with self.lock():
            details = conform(details, DETAILS, ["id"])
            legs = conform(legs, LEGS, ["id", "leg"])
            self._replace("legs", self.read_legs(), legs, details["id"])
            self._replace("details", self.read_details(), details, details["id"])

    def forget(self) -> None:
        """Remove everything of this organization from this disk."""
        with self.lock(), writing_in(self.folder):
            shutil.rmtree(self.folder)

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
            Names of TRANSFERS, in the order wanted; all by default.
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
        names = TRANSFERS.names if columns is None else list(columns)
        for name in names:
            if name not in TRANSFERS.names:
                raise InvalidFilter("columns", name, TRANSFERS.names)
        return read_transfers(
            self.folder / "transfers",
            since=since,
            until=until,
            columns=names,
            include_removed=include_removed,
            dictionaries=dictionaries,
        )

    def read_history(self) -> pa.Table:
        """Read earlier versions of transfers (TRANSFER_HISTORY), by id, oldest first."""
        return History(self.folder / "transfer_history").read()

    def read_accounts(self) -> pa.Table:
        """Read accounts as last seen (ACCOUNTS), by id; closed ones included."""
        return self._read("accounts", ACCOUNTS)

    def read_balances(self) -> pa.Table:
        """Read observed balances (BALANCES), oldest first."""
        return self._read("balances", BALANCES)

    def read_details(self) -> pa.Table:
        """Read what made the transfers (DETAILS), by id."""
        return self._read("details", DETAILS)

    def read_legs(self) -> pa.Table:
        """Read the steps of compound transfers (LEGS), by id."""
        return self._read("legs", LEGS)

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
                self._writer = None
                raise

    def _new_writer(self) -> TransferWriter:
        history = History(self.folder / "transfer_history")
        return TransferWriter(self.folder / "transfers", history, self.folder / "index")

    def _begin_writing(self) -> None:
        if self._lock.predecessor_died:
            remove_leftovers(self.folder)
        self._writer = None
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

    def _replace(self, name: str, old: pa.Table, rows: pa.Table, ids: Column) -> None:
        others = pc.invert(pc.is_in(old["id"], value_set=ids.combine_chunks()))
        table = pa.concat_tables([old.filter(others), rows])
        order = [(key, "ascending") for key in ("id", "leg") if key in table.column_names]
        write_table(self._file(name), table.take(pc.sort_indices(table, sort_keys=order)))


def folder_name(organization_id: str) -> str:
    """Name the folder of an organization: its id, or a hash of one that is no plain name."""
    if _SAFE_NAME.fullmatch(organization_id):
        return organization_id
    return "org-" + hashlib.sha256(organization_id.encode()).hexdigest()[:16]
