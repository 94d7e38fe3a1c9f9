"""``ledger.db``: the record of one organization, what its sources said about each thing.

A SQLite database. Its tables are private: what others read are the Parquet tables that are
published from it. One row of ``versions`` is one change of one thing, with the answer's own JSON
for it; a page and how far the reading came are one transaction, so that a crash leaves both or
neither. At rest it is one file: its write-ahead log is folded in when the last connection closes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from seqdata.core.files import make_private_folder, sync_folder, write_bytes, writing_in
from seqdata.core.logs import logger
from seqdata.exceptions import CacheLocked, CorruptFile, FolderNotWritable, RecordTooNew
from seqdata.store.months import name_of_month

log = logger(__name__)

#: The tables that are published whole; the others by month.
WHOLE = ("accounts", "balances", "annotations", "runs")

#: Raised when the tables of the record change so that an older seqdata could not read them.
RECORD_VERSION = 4

REMEDY = (
    "It is kept aside when seqdata next opens it, and the record is taken up again from the tables"
)

_BUSY_SECONDS = 60.0

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (
    seq INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,         -- transfers, accounts, details
    id TEXT NOT NULL,
    source TEXT NOT NULL,         -- who said it
    run INTEGER,                  -- the sync that read it
    first_seen INTEGER NOT NULL,  -- moments are microseconds since 1970, the service's
    since INTEGER NOT NULL,       -- this version holds from here
    until INTEGER,                -- and until here; null: it is the present one
    removed INTEGER,              -- gone from the service since then
    created INTEGER,              -- when the thing was made, for reading by time
    is_open INTEGER NOT NULL,     -- whether its state can still change
    row TEXT NOT NULL,            -- what was read, as JSON in our columns
    answer INTEGER,               -- which of `answers` said so; null: it was not kept
    place INTEGER                 -- and where in its list; null: it is no list
);
CREATE TABLE answers (         -- what was new in an answer
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL            -- a list in JSON, as zlib compresses it
);
CREATE UNIQUE INDEX present ON versions (stream, id) WHERE until IS NULL;
CREATE INDEX present_by_time ON versions (stream, created) WHERE until IS NULL;
CREATE INDEX waiting ON versions (id) WHERE until IS NULL AND is_open = 1 AND removed IS NULL;
CREATE INDEX earlier ON versions (stream, until) WHERE until IS NOT NULL;
CREATE INDEX earlier_of ON versions (id) WHERE until IS NOT NULL;
CREATE TABLE balances (
    account_id TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    cents INTEGER,
    origin TEXT NOT NULL,
    PRIMARY KEY (account_id, as_of)
) WITHOUT ROWID;
CREATE TABLE annotations (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (run INTEGER PRIMARY KEY, row TEXT NOT NULL);
CREATE TABLE doubts (          -- what a reading should have shown, and did not
    stream TEXT NOT NULL,
    id TEXT NOT NULL,
    since INTEGER NOT NULL,       -- when it was missed first
    tries INTEGER NOT NULL,       -- how many syncs have missed it
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE tables (          -- what is published of the record
    name TEXT PRIMARY KEY,        -- accounts, transfers/2026-11, ...
    changed INTEGER NOT NULL,     -- the generation that it last changed in
    published INTEGER,            -- the one that was published; null: none
    rows INTEGER,
    is_left INTEGER NOT NULL      -- a row went from here to another month since then
) WITHOUT ROWID;
"""


class Connection(Protocol):
    """What is asked of a database: a connection of ``sqlite3``, or another with these."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Iterator[Any]:
        """Run a statement; the rows it gives can be iterated over."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Run a statement once for each of these."""

    def close(self) -> None:
        """Close it; what was not committed is gone."""


Connect = Callable[[Path], Connection]


def connect(path: Path) -> Connection:
    """Open a database file that is there; transactions are begun and ended by SQL alone."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


class Record:
    """The record of one organization.

    Parameters
    ----------
    path
        Its file; it appears with :meth:`create`.
    connect
        Opens the database.
    """

    def __init__(self, path: Path, *, connect: Connect = connect) -> None:
        self.path = Path(path)
        self._connect = connect
        self._kept = threading.local()

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def create(
        self, facts: dict[str, Any], fill: Callable[[Connection], object] = lambda _: None
    ) -> None:
        """Make the file, with these facts about it; it appears whole or not at all.

        `fill` is called before it appears, to put into it what there is already.

        Raises
        ------
        FolderNotWritable
            The file system refused.
        """
        folder = self.path.parent
        make_private_folder(folder)
        _explain(folder.parent)
        growing = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with writing_in(folder):
            growing.unlink(missing_ok=True)
            os.close(os.open(growing, os.O_CREAT | os.O_WRONLY, 0o600))
        try:
            with self._opened(growing) as db, _transaction(db):
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                write_facts(db, {"version": RECORD_VERSION, "generation": 0, **facts})
                fill(db)
            with writing_in(folder):
                for stale in self.beside():  # of a record that is gone: SQLite would replay it
                    stale.unlink(missing_ok=True)
                growing.replace(self.path)
                sync_folder(folder)
        finally:
            for leftover in (growing, *_beside(growing)):
                with suppress(OSError):
                    leftover.unlink(missing_ok=True)

    def clear_unborn(self) -> None:
        """Remove what a program left that died while it made a record; for the lock's holder."""
        for path in self.path.parent.glob(f".{self.path.name}.*.tmp*"):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep one connection for all that this thread reads and writes in the block."""
        if getattr(self._kept, "db", None) is not None:
            yield
            return
        with self._opened(self.path) as db:
            self._kept.db = db
            try:
                yield
            finally:
                self._kept.db = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read the record as it is now: what others write meanwhile is not seen.

        Raises
        ------
        CorruptFile
            It is no record, or was damaged.
        RecordTooNew
            A newer seqdata wrote it.
        """
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                _roll_back(db)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write the record: all that the block does, or nothing of it.

        Raises
        ------
        FolderNotWritable
            The disk is full, or the file system refused; the record is as it was.
        CorruptFile, RecordTooNew
            As for :meth:`reading`.
        """
        with self._connection() as db, _transaction(db):
            yield db

    def facts(self) -> dict[str, Any]:
        """Read what the record says about itself."""
        with self.reading() as db:
            return read_facts(db)

    def beside(self) -> list[Path]:
        """Name the files that SQLite may leave beside it: what they hold is part of it."""
        return _beside(self.path)

    def check(self) -> str | None:
        """Say what is wrong with the file, if anything: every page of it is read."""
        with self.reading() as db:
            found = next(db.execute("PRAGMA quick_check(1)"))[0]
        return None if found == "ok" else str(found)

    def damage(self) -> str | None:
        """Say what is wrong with the file, where somebody met damage in it; else None."""
        if not self._mark.exists():
            return None
        wrong = self.check()
        if wrong is None:
            self.forget_damage()
        return wrong

    def forget_damage(self) -> None:
        """Take back that damage was met: the file is another one now."""
        with suppress(OSError):
            self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f".{self.path.name}.damaged")

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        kept = getattr(self._kept, "db", None)
        if kept is not None:
            with self._told():
                yield kept
            return
        with self._opened(self.path) as db:
            yield db

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Connection]:
        with self._told():
            db = self._connect(path)
            try:
                for pragma in _PRAGMAS:
                    db.execute(f"PRAGMA {pragma}")
                _write_ahead(db, path)
                if path == self.path:
                    self._check_version(db)
                yield db
                _fold_in(db)
            finally:
                with suppress(sqlite3.Error):
                    db.close()

    def _check_version(self, db: Connection) -> None:
        found = read_facts(db, ["version"]).get("version")
        if not isinstance(found, int):
            raise CorruptFile(self.path, "it says no version", f"{REMEDY}.")
        if found > RECORD_VERSION:
            raise RecordTooNew(self.path, found, RECORD_VERSION)
        if found < RECORD_VERSION:
            _upgrade(db, found)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our words what SQLite refuses."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if str(error).startswith(_DAMAGE):
                raise CorruptFile(self.path, str(error), f"{REMEDY}.") from error
            if "locked" in str(error):
                holder = "another program"
                raise CacheLocked(self.path.parent, holder, _BUSY_SECONDS) from error
            raise FolderNotWritable(self.path.parent, str(error)) from error
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.IntegrityError):
            raise  # a fault of ours, and none of the file
        except sqlite3.DatabaseError as error:
            with suppress(OSError):  # whoever opens it next looks at every page
                self._mark.touch(mode=0o600)
            raise CorruptFile(self.path, str(error), f"{REMEDY}.") from error


def _upgrade(db: Connection, version: int) -> None:
    """Bring a record of an earlier version up to this one."""
    try:
        with _transaction(db):
            for earlier in range(version, RECORD_VERSION):
                for statement in _UPGRADES[earlier]:
                    db.execute(statement)
            write_facts(db, {"version": RECORD_VERSION})
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error):
            raise
        for earlier in range(version, RECORD_VERSION):
            for statement in _SEEN_AS[earlier]:
                db.execute(statement)


_DOUBTS = next(one for one in _TABLES.split(";\n") if "CREATE TABLE doubts" in one)

#: What a record of a version lacks that the next one has.
_UPGRADES = {
    2: (_DOUBTS.replace("TABLE", "TABLE IF NOT EXISTS", 1),),
    3: (
        "CREATE TABLE answers (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        "ALTER TABLE versions ADD COLUMN answer INTEGER",
        "ALTER TABLE versions ADD COLUMN place INTEGER",
        "INSERT INTO answers SELECT seq, body FROM versions WHERE body IS NOT NULL",
        "UPDATE versions SET answer = seq, body = NULL WHERE body IS NOT NULL",
    ),
}

#: How it is read as the next one where nothing can be written.
_SEEN_AS = {
    2: (_DOUBTS.replace("TABLE", "TEMP TABLE", 1),),  # nothing is in doubt there
    3: (
        "CREATE TEMP VIEW answers AS SELECT seq AS number, body FROM main.versions",
        "CREATE TEMP VIEW versions AS "
        "SELECT *, iif(body IS NULL, NULL, seq) AS answer, NULL AS place FROM main.versions",
    ),
}


#: What SQLite says of a database that is none of ours, where it does not say DatabaseError.
_DAMAGE = ("no such table", "no such column", "malformed database")

_PRAGMAS = (
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "temp_store = MEMORY",
    "cache_size = -32000",
)


def _explain(ledgers: Path) -> None:
    """Say beside the records that they cannot be made again."""
    note = ledgers / "README.md"
    if not note.exists():
        write_bytes(note, _NOT_DISPOSABLE)


_NOT_DISPOSABLE = b"""\
# Back this folder up

Here stands what the service said about your money, and what you noted: nothing else can make it
again. `ledger.db` is a SQLite file; copy it while no seqdata runs. The Parquet tables in `cache/`
are made from it, and may go. `seqdata forget` removes an organization from both.
"""


def _beside(path: Path) -> list[Path]:
    """Name what SQLite may leave beside a file."""
    return [path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal")]


def _write_ahead(db: Connection, path: Path) -> None:
    """Let readers go on while one writes; where the file system cannot, they wait."""
    mode = next(db.execute("PRAGMA journal_mode"))[0]
    if mode == "wal":
        return
    try:
        mode = next(db.execute("PRAGMA journal_mode = WAL"))[0]
    except sqlite3.OperationalError:
        mode = "delete"
    if mode != "wal":
        log.info("the file system has no shared memory, so readers wait for a writer: %s", path)


@contextmanager
def _transaction(db: Connection) -> Iterator[None]:
    """Do all that the block does, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        _roll_back(db)
        raise


def _roll_back(db: Connection) -> None:
    with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
        db.execute("ROLLBACK")


def _fold_in(db: Connection) -> None:
    """Bring the write-ahead log into the file, so that at rest there is one."""
    with suppress(sqlite3.Error):
        # Nobody is waited for: where another connection reads, the last one to close does it.
        list(db.execute("PRAGMA busy_timeout = 0"))
        list(db.execute("PRAGMA wal_checkpoint(TRUNCATE)"))


# -- facts -------------------------------------------------------------------------------------


def read_facts(db: Connection, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read what a record says about itself, or some of it."""
    if names is None:
        found = db.execute("SELECT name, value FROM facts")
    else:
        marks = ", ".join("?" * len(names))
        found = db.execute(f"SELECT name, value FROM facts WHERE name IN ({marks})", names)  # noqa: S608
    return {name: json.loads(value) for name, value in found}


def write_facts(db: Connection, facts: dict[str, Any]) -> None:
    """Write facts about the record."""
    db.executemany(
        "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(name, json.dumps(value)) for name, value in facts.items()],
    )


def mark_changed(db: Connection, names: Iterable[str], left: Iterable[str] = ()) -> None:
    """Note tables that do not show any more what the record holds.

    `left` are months that a row went from: they are published after the one it came to.
    """
    left = set(left)
    names = {*names, *left}
    if not names:
        return
    generation = read_facts(db, ["generation"])["generation"] + 1
    write_facts(db, {"generation": generation})
    db.executemany(
        "INSERT INTO tables (name, changed, is_left) VALUES (?, ?, ?) ON CONFLICT (name) "
        "DO UPDATE SET changed = excluded.changed, is_left = max(is_left, excluded.is_left)",
        [(name, generation, name in left) for name in sorted(names)],
    )


def mark_everything(db: Connection) -> None:
    """Let all tables be published anew."""
    names = {*WHOLE, *_months(db, "transfers", "created", "transfers")}
    names |= _months(db, "transfer_history", "until", "transfers")
    names |= _months(db, "details", "created", "details")
    names |= _months(db, "earlier", "until", "accounts") | _months(
        db, "earlier", "until", "details"
    )
    mark_changed(db, names)


def mark_transfers(db: Connection) -> None:
    """Let all months of transfers be published anew."""
    mark_changed(db, _months(db, "transfers", "created", "transfers"))


_DAY = 86_400_000_000


def _months(db: Connection, table: str, column: str, stream: str) -> set[str]:
    """Name the months of a table: of present versions by `created`, of earlier ones by `until`."""
    which = "NULL" if column == "created" else "NOT NULL"
    query = (
        f"SELECT DISTINCT ({column} - ({column} % {_DAY} + {_DAY}) % {_DAY}) / {_DAY} "  # noqa: S608
        f"FROM versions WHERE stream = ? AND until IS {which}"
    )
    days = db.execute(query, (stream,))
    moments = (None if day is None else day * _DAY for (day,) in days)
    return {f"{table}/{name_of_month(moment)}" for moment in moments}
