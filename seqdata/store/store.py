"""What is on this disk of one organization: the one door to its record and its tables."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from seqdata.core.arrow import pc
from seqdata.core.files import remove_leftovers
from seqdata.core.logs import logger
from seqdata.core.moments import micros
from seqdata.exceptions import (
    CacheLocked,
    CorruptFile,
    FolderNotWritable,
    ForeignWorld,
    InvalidFilter,
    SequenceError,
    TablesNotWritten,
)
from seqdata.sources.base import Delivery, Reader, Snapshot
from seqdata.sources.rows import dumped
from seqdata.sources.schemas import (
    ACCOUNT_NAMES,
    ACCOUNTS,
    ANNOTATIONS,
    BALANCES,
    DETAILS,
    EARLIER,
    LEGS,
    MOMENT,
    PARTY_COLUMNS,
    READ_TRANSFERS,
    RUNS,
    TRANSFER_HISTORY,
    TRANSFERS,
)
from seqdata.store import doubts, publishing, takeup, taking, versions
from seqdata.store import evidence as kept
from seqdata.store.beside import facts_beside, is_first_version, read_note
from seqdata.store.known import RECORD
from seqdata.store.lock import CacheLock
from seqdata.store.months import month_path, months_between
from seqdata.store.record import (
    WHOLE,
    Connect,
    Connection,
    connect,
    mark_changed,
    mark_everything,
    read_facts,
    write_facts,
)
from seqdata.store.shelf import Shelf
from seqdata.store.state import SyncState, document_of
from seqdata.store.tables import read_table
from seqdata.store.versions import Said, Upsert

log = logger(__name__)

T = TypeVar("T")

#: A long sync publishes what it read once in so many seconds.
PUBLISH_SECONDS = 60.0

#: So many months are read by several threads, and by how many.
_MANY, _READERS = 6, min(4, os.cpu_count() or 1)

#: How often a reader looks again for tables that nobody is putting in their place.
_TRIES = 3

#: How long a program that has read or noted something waits for another that publishes.
_PUBLISH_WAIT = 10.0


class Store(Shelf):
    """The record of one organization and its Parquet tables. Made by :meth:`open`.

    All moments are UTC. Tables come as ``pyarrow.Table`` in the columns of
    :mod:`seqdata.sources.schemas`. Reading needs no lock; a sync takes it.
    """

    def __init__(
        self,
        data_dir: Path,
        organization_id: str,
        *,
        app_url: str,
        cache_dir: Path | None = None,
        connect: Connect = connect,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            data_dir, organization_id, app_url=app_url, cache_dir=cache_dir, connect=connect
        )
        self._lock = CacheLock(self.ledger_folder)
        self._tables_lock = CacheLock(self.folder)
        self._timer = timer
        self._published_at = timer()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        organization_id: str,
        *,
        app_url: str,
        cache_dir: Path | None = None,
        connect: Connect = connect,
        timer: Callable[[], float] = time.monotonic,
    ) -> Store:
        """Look at what is here of an organization; where nothing is, nothing is made.

        A record that was lost is taken up again from its tables, and so are tables of the first
        version; one that cannot be read is kept aside first.

        Parameters
        ----------
        data_dir
            The record stands in ``ledgers/`` of it.
        app_url
            Address of the application; only its origin counts.
        cache_dir
            The tables' folder; ``cache/`` in the data folder by default.

        Raises
        ------
        ForeignCache, RecordTooNew, CorruptFile
            What is there is of another server, of a newer seqdata, or unreadable.
        """
        store = cls(
            data_dir,
            organization_id,
            app_url=app_url,
            cache_dir=cache_dir,
            connect=connect,
            timer=timer,
        )
        store._look()
        return store

    @contextmanager
    def lock(self, wait: float = 0.0) -> Iterator[None]:
        """Keep every other sync away while the block runs; others may read, and note things.

        On every way out the tables are brought up to the record.

        Parameters
        ----------
        wait
            Seconds to wait for another holder; 0 refuses at once.

        Raises
        ------
        CacheLocked
            Another process holds it; the error says which, and since when.
        """
        if self._lock.is_held:
            yield
            return
        with self._lock.held(wait):
            if self._lock.predecessor_died:
                remove_leftovers(self.ledger_folder)
                self.record.clear_unborn()
            self._make()
            with self.record.kept_open():
                self._published_at = self._timer()
                try:
                    yield
                except BaseException:
                    self._publish_quietly()
                    raise
                self.publish(wait=_PUBLISH_WAIT)

    # -- how far a sync came ------------------------------------------------------------------

    def write_state(self, state: SyncState) -> None:
        """Note how far a sync came."""
        with self._writing() as db:
            write_facts(db, {"progress": document_of(state)})

    def begin_run(self, *, source: str, at: datetime) -> int:
        """Note that a sync begins; return its number."""
        with self._writing() as db:
            number = next(db.execute("SELECT coalesce(max(run), 0) + 1 FROM runs"))[0]
            row = {"read_from": source, "began_at": micros(at)}
            db.execute("INSERT INTO runs VALUES (?, ?)", (number, dumped(row)))
            mark_changed(db, ["runs"])
        return int(number)

    def note_run(self, run: int, **facts: Any) -> None:
        """Note what a sync read: columns of RUNS, of which moments come as datetimes."""
        with self._writing() as db:
            row = json.loads(next(db.execute("SELECT row FROM runs WHERE run = ?", (run,)))[0])
            row |= {name: _plain(value) for name, value in facts.items() if value is not None}
            db.execute("UPDATE runs SET row = ? WHERE run = ?", (dumped(row), run))
            mark_changed(db, ["runs"])

    # -- writing ------------------------------------------------------------------------------

    def take(
        self,
        delivery: Delivery,
        state: SyncState | None = None,
        *,
        source: str = "webapp",
        run: int | None = None,
        overrules: bool = False,
    ) -> Upsert:
        """Take in what a source delivered, and with it how far the reading came: both or neither.

        Parameters
        ----------
        state
            How far it came; None leaves what is noted.
        overrules
            It was asked for because what is known may be wrong: an older answer is taken too.

        Raises
        ------
        ForeignWorld
            It is of another world of a sandbox than what is here.
        FolderNotWritable
            The file system refused; nothing of the delivery was taken in.
        UnexpectedAnswer
            A row has no id.
        """
        said = Said(source, micros(delivery.served_at), run)

        def work(db: Connection) -> Upsert:
            if isinstance(delivery, Snapshot):
                self._check_world(db, delivery.world)
            if state is not None:
                write_facts(db, {"progress": document_of(state)})
            return taking.absorb(db, delivery, said, overrules=overrules)

        found = self._write(work)
        if self._lock.is_held and self._timer() - self._published_at > PUBLISH_SECONDS:
            self.publish(wait=_PUBLISH_WAIT)
        return found

    def mark_removed(
        self,
        ids: Iterable[str],
        at: datetime,
        *,
        source: str = "webapp",
        run: int | None = None,
    ) -> Upsert:
        """Mark transfers as gone from the service: they stay, with removed_at.

        ``updated`` counts those marked now, ``unchanged`` those that were marked before; ids
        that are not here are passed over.
        """
        said = Said(source, micros(at), run)
        return self._write(lambda db: versions.mark_removed(db, versions.TRANSFERS, ids, said))

    def doubt(self, ids: Sequence[str], at: datetime) -> None:
        """Put transfers in doubt, since a moment."""
        if ids:
            self._write(lambda db: doubts.add(db, versions.TRANSFERS, ids, micros(at)))

    def add_statement(self, account_id: str, as_of: datetime, cents: int) -> None:
        """Note a balance that a person read from a statement; a sync may run meanwhile."""
        row = {
            "account_id": account_id,
            "as_of": micros(as_of),
            "balance_cents": cents,
            "origin": "statement",
        }
        self._write(lambda db: taking.observe(db, [row]))

    def annotate(
        self,
        id: str,  # noqa: A002  # the column's name
        *,
        category: str | None = None,
        note: str | None = None,
        split: Mapping[str, int] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Note something about a transfer, by hand; a sync may run meanwhile.

        Parameters
        ----------
        category, note, split
            What to note; None leaves what is there, what is empty removes it. A split is whole
            cents by category; of it and a category the later one counts.
        at
            The moment, with a zone; now by default.
        """
        moment = at or datetime.now(UTC)
        self._write(
            lambda db: taking.annotated(db, id, moment, category=category, note=note, split=split)
        )

    def rebuild(
        self,
        reader: Reader,
        *,
        wait: float = 0.0,
        on_progress: Callable[[int], None] | None = None,
    ) -> dict[str, int]:
        """Read all kept answers again, with today's understanding of them.

        Versions whose answer was not kept stay as they are. The versions are the same as
        before, only what was read from each may differ.

        Returns
        -------
        dict
            ``read``: versions whose answer was kept; ``changed``: those that read otherwise;
            ``unread``: versions without an answer.
        """
        with self.lock(wait), self.record.writing() as db:
            found = kept.read_again(db, reader, on_progress)
            mark_everything(db)
        return found

    # -- reading ------------------------------------------------------------------------------

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
            A table cannot be read.
        """
        names = READ_TRANSFERS.names if columns is None else list(columns)
        for name in names:
            if name in PARTY_COLUMNS:
                raise InvalidFilter("columns", name, [PARTY_COLUMNS[name]])
            if name not in READ_TRANSFERS.names:
                raise InvalidFilter("columns", name, READ_TRANSFERS.names)
        is_confirmed = "confirmed_at" in names
        needed = {*names, "removed_at"} - {"confirmed_at"}
        needed |= {"created_at"} if since or until else set()
        needed |= {"id", "created_at", "changed_at"} if is_confirmed else set()
        table = self._read(
            "transfers",
            TRANSFERS,
            columns=[name for name in TRANSFERS.names if name in needed],
            span=(since, until),
            dictionaries=dictionaries,
        )
        table = _within(table, since, until, include_removed=include_removed)
        if is_confirmed:
            confirmed = publishing.confirmed_at(table, self.read_runs())
            table = table.append_column("confirmed_at", confirmed)
        return table.select(names)

    def read_history(self) -> pa.Table:
        """Read earlier versions of transfers (TRANSFER_HISTORY), by id, oldest first."""
        return _in_order(self._read("transfer_history", TRANSFER_HISTORY))

    def history_of(self, id: str) -> pa.Table:  # noqa: A002  # the column's name
        """Read all versions of a transfer (TRANSFER_HISTORY), the present one too, oldest first."""
        earlier, present = self._past_and_present()
        now = present.filter(pc.equal(present["id"], id))
        nothing = pa.nulls(now.num_rows, MOMENT)
        now = now.append_column("valid_from", now["changed_at"])
        now = now.append_column("valid_until", nothing).cast(TRANSFER_HISTORY)
        return pa.concat_tables([earlier.filter(pc.equal(earlier["id"], id)), now])

    def transfers_as_of(self, moment: datetime, *, include_removed: bool = False) -> pa.Table:
        """Read the transfers (TRANSFERS) as they were known at a moment, newest first.

        Those first seen later are absent, those that changed are in their version of then.

        Parameters
        ----------
        moment
            With a zone.
        include_removed
            Also those that had vanished from the service by then.
        """
        at = pa.scalar(moment, MOMENT)
        past, present = self._past_and_present()
        held = pc.and_(pc.less_equal(past["valid_from"], at), pc.greater(past["valid_until"], at))
        then = past.filter(held).select(TRANSFERS.names)
        rows = pa.concat_tables([present.filter(pc.less_equal(present["changed_at"], at)), then])
        kept_rows = rows if include_removed else rows.filter(pc.is_null(rows["removed_at"]))
        return publishing.newest_first(kept_rows)

    def read_annotations(self) -> pa.Table:
        """Read what was noted by hand (ANNOTATIONS), by id."""
        return self._read("annotations", ANNOTATIONS)

    def read_accounts(self) -> pa.Table:
        """Read accounts as last seen (ACCOUNTS), by id; closed ones included."""
        return self._read("accounts", ACCOUNTS)

    def read_balances(self) -> pa.Table:
        """Read observed balances (BALANCES), oldest first."""
        return self._read("balances", BALANCES)

    def read_runs(self) -> pa.Table:
        """Read what each sync read (RUNS), oldest first."""
        return self._read("runs", RUNS)

    def read_account_names(self) -> pa.Table:
        """Read what accounts were called before: id, name, valid_until."""
        found = self._read("earlier", EARLIER)
        rows = found.filter(pc.equal(found["stream"], versions.ACCOUNTS))
        names = [json.loads(str(row)).get("name") for row in rows["row"].to_pylist()]
        columns: list[Any] = [rows["id"], pa.array(names, pa.string()), rows["valid_until"]]
        return pa.table(columns, schema=ACCOUNT_NAMES)

    def note_look(self, at: datetime) -> None:
        """Note that a person has looked at what changed up to a moment."""
        with self._writing() as db:
            write_facts(db, {"looked_at": micros(at)})

    def read_details(self, ids: Iterable[str] | None = None) -> pa.Table:
        """Read what made the transfers (DETAILS), or some of them, by id."""
        return _chosen(self._read("details", DETAILS), ids).sort_by([("id", "ascending")])

    def read_legs(self, ids: Iterable[str] | None = None) -> pa.Table:
        """Read the steps of compound transfers (LEGS), or of some, by id and leg."""
        found = _chosen(self._read("legs", LEGS), ids)
        return found.sort_by([("id", "ascending"), ("leg", "ascending")])

    def evidence(self, id: str) -> list[dict[str, Any]]:  # noqa: A002  # the column's name
        """Say which answers said what of a thing, and when; see :meth:`Ledger.evidence`."""
        if not self.exists:
            return []
        with self.record.reading() as db:
            return kept.of(db, id)

    # -- publishing ---------------------------------------------------------------------------

    def publish(self, *, wait: float = 0.0) -> bool:
        """Bring the tables up to the record; return whether any was behind.

        Raises
        ------
        CacheLocked
            Another process is at it.
        ForeignTables, TablesNotWritten
            The tables' folder cannot be used; the record holds all that they would.
        """
        try:
            done = self._published(wait)
        except FolderNotWritable as error:
            raise TablesNotWritten(error.folder, error.reason) from error
        self._published_at = self._timer()
        return done

    def _published(self, wait: float) -> bool:
        with self._tables_lock.held(wait):
            if self._tables_lock.predecessor_died:
                remove_leftovers(self.folder)
            is_first = self.record.facts().get("takes_over", False)
            if is_first:
                takeup.clear_first_version(self.folder, self.ledger_folder)
            publishing.check_owner(self.folder, self.record, is_first=is_first)
            with self.record.writing() as db:
                if publishing.is_other(db, read_note(self.folder)):
                    mark_everything(db)
                    mark_changed(db, publishing.months_lying(self.folder))  # empty ones go
            done = publishing.publish(self.record, self.folder)
            if is_first:
                with self.record.writing() as db:
                    write_facts(db, {"takes_over": False})
        return done

    def _publish_quietly(self) -> None:
        """Bring the tables up as far as that goes: an error is on its way out."""
        try:
            self.publish()
        except (SequenceError, KeyboardInterrupt) as error:
            log.warning("the tables will be brought up to date by the next reader: %s", error)

    def _bring_up(self) -> None:
        """Bring the tables up if they are behind and nobody is at it."""
        with self.record.reading() as db:
            is_behind = not publishing.is_up_to_date(db, read_note(self.folder))
        if is_behind:
            try:
                self.publish()
            except (CacheLocked, FolderNotWritable) as error:
                log.info("the record is read instead of the tables: %s", error)

    # -- inside -------------------------------------------------------------------------------

    def _look(self) -> None:
        if not self.record.exists:
            if facts_beside(self.folder) is not None:
                with self._lock.held(_PUBLISH_WAIT):
                    self._make()
            else:
                return
        if self._damage() is not None:
            self._set_aside()
        found = self.record.facts()
        self._check(found)

    @property
    def world(self) -> str | None:
        """Which world of a sandbox is here; None where it is not a sandbox that was read."""
        facts = self.record.facts() if self.record.exists else facts_beside(self.folder) or {}
        world = facts.get("world")
        return None if world is None else str(world)

    def _check_world(self, db: Connection, world: str | None) -> None:
        known = read_facts(db, ["world"]).get("world")
        if world is not None and known not in (None, world):
            raise ForeignWorld(self.ledger_folder, str(known), world)
        if world is not None and known is None:
            write_facts(db, {"world": world})

    def _make(self) -> None:
        """Make the record, if there is none, from what tables there are; for the lock's holder."""
        if self.record.exists:
            return
        beside = facts_beside(self.folder)
        facts = {
            "id": uuid.uuid4().hex,
            "organization_id": self.organization_id,
            "app_url": self.app_url,
            "takes_over": is_first_version(self.folder),
            **(beside or {}),
        }
        self._check(facts)
        if beside is None:
            self.record.create(facts)
            return
        log.warning("the record is taken up from the tables: %s", self.folder)
        self.record.create(facts, lambda db: takeup.take_up(db, self.folder))

    def _set_aside(self) -> None:
        """Keep a record that cannot be read under another name, and begin anew from the tables."""
        with self._lock.held(_PUBLISH_WAIT):
            why = self._damage()
            if why is None:  # another program was quicker
                return
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            aside = self.record.path.with_name(
                f"{RECORD}.unreadable-{stamp}-{uuid.uuid4().hex[:6]}"
            )
            log.warning("the record cannot be read (%s): it is kept as %s", why, aside)
            for path in (self.record.path, *self.record.beside()):
                if path.exists():
                    end = path.name.removeprefix(RECORD)
                    path.replace(aside.with_name(f"{aside.name}{end}"))
            self.record.forget_damage()
            self._make()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if not self.record.exists:
            with self._lock.held(_PUBLISH_WAIT):
                self._make()
        with self.record.writing() as db:
            yield db

    def _write(self, work: Callable[[Connection], T]) -> T:
        """Do one write; outside of a sync its tables follow at once."""
        with self._writing() as db:
            found = work(db)
        if not self._lock.is_held:
            try:
                self.publish(wait=_PUBLISH_WAIT)
            except CacheLocked as error:
                log.info("the tables will be brought up to date by the next reader: %s", error)
            except TablesNotWritten as error:  # what was noted is kept
                log.warning("%s", error)
        return found

    def _read(
        self,
        target: str,
        schema: pa.Schema,
        *,
        columns: Sequence[str] | None = None,
        span: tuple[datetime | None, datetime | None] = (None, None),
        dictionaries: bool = False,
    ) -> pa.Table:
        """Read a table as one publication left it; where none stays whole, the record itself."""
        names = schema.names if columns is None else list(columns)
        if not self.exists:
            return schema.empty_table().select(names)
        with self.record.kept_open():
            return self._at_once(
                lambda: self._read_files(target, schema, names, span, dictionaries=dictionaries),
                lambda db: publishing.project(db, target, self.organization_id).select(names),
            )

    def _past_and_present(self) -> tuple[pa.Table, pa.Table]:
        """Read the earlier versions of all transfers and the present ones, as of one moment."""
        tables = (("transfer_history", TRANSFER_HISTORY), ("transfers", TRANSFERS))
        if not self.exists:
            return TRANSFER_HISTORY.empty_table(), TRANSFERS.empty_table()
        past, present = self._at_once(
            lambda: [self._read_files(name, schema, schema.names) for name, schema in tables],
            lambda db: [publishing.project(db, name, self.organization_id) for name, _ in tables],
        )
        return _in_order(past), present

    def _at_once(self, read: Callable[[], T], make: Callable[[Connection], T]) -> T:
        """Read what one publication left; where none stays whole, make it of the record."""
        for _ in range(_TRIES):
            self._bring_up()
            before = read_note(self.folder)
            if before is None or before.is_going_on:
                break
            try:
                found = read()
            except FileNotFoundError as error:
                self._make_again(Path(str(error.filename)), "it is gone")
                continue
            except CorruptFile as error:
                self._make_again(error.path, error.reason)
                continue
            if read_note(self.folder) == before:
                return found
        with self.record.reading() as db:
            return make(db)

    def _read_files(
        self,
        target: str,
        schema: pa.Schema,
        names: Sequence[str],
        span: tuple[datetime | None, datetime | None] = (None, None),
        *,
        dictionaries: bool = False,
    ) -> pa.Table:
        if publishing.PUBLISHED_WITH.get(target, target) in WHOLE:
            path = month_path(self.folder / target, "")
            return read_table(path, schema, names, dictionaries=dictionaries)
        with self.record.reading() as db:
            months = publishing.months_of(db, target)
        paths = [month_path(self.folder / target, one) for one in months_between(months, *span)]
        read = partial(read_table, schema=schema, columns=names, dictionaries=dictionaries)
        if len(paths) < _MANY:
            parts = list(map(read, paths))
        else:  # Arrow lets go of the interpreter while it reads
            with ThreadPoolExecutor(_READERS) as readers:
                parts = list(readers.map(read, paths))
        parts = [part for part in parts if part.num_rows]
        return pa.concat_tables(parts) if parts else schema.empty_table().select(names)

    def _make_again(self, path: Path, why: str) -> None:
        """Let a table be published again whose file somebody took away or damaged."""
        month = path.parent.name.removeprefix("month=")
        stem = path.parent.parent.name if path.parent.name.startswith("month=") else ""
        stem = publishing.PUBLISHED_WITH.get(stem, stem)
        name = f"{stem}/{month}" if stem else path.parent.name
        log.warning("a table is made again from the record: path=%s why=%s", path, why)
        with self.record.writing() as db:
            mark_changed(db, [name])


def _plain(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value


def _in_order(past: pa.Table) -> pa.Table:
    return past.sort_by([("id", "ascending"), ("valid_from", "ascending")])


def _chosen(table: pa.Table, ids: Iterable[str] | None) -> pa.Table:
    if ids is None:
        return table
    return table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))


def _within(
    table: pa.Table, since: datetime | None, until: datetime | None, *, include_removed: bool
) -> pa.Table:
    masks = []
    if since is not None:
        masks.append(pc.greater_equal(table["created_at"], pa.scalar(since, MOMENT)))
    if until is not None:
        masks.append(pc.less(table["created_at"], pa.scalar(until, MOMENT)))
    if not include_removed and table["removed_at"].null_count < table.num_rows:
        masks.append(pc.is_null(table["removed_at"]))
    for mask in masks[1:]:
        masks[0] = pc.and_(masks[0], mask)
    return table.filter(masks[0]) if masks else table
