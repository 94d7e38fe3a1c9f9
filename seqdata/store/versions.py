"""What becomes of rows that are seen again: a version a change, and nothing where none is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from seqdata.core.moments import moment_of
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.base import Bodies, lasting
from seqdata.sources.rows import Row, dumped
from seqdata.sources.schemas import ACCOUNT_ROWS, MOMENT, TRANSFER_ROWS
from seqdata.sources.vocabulary import FINAL
from seqdata.store import doubts
from seqdata.store.months import name_of_month
from seqdata.store.record import Connection, mark_changed, mark_transfers

TRANSFERS, ACCOUNTS, DETAILS = "transfers", "accounts", "details"


@dataclass(frozen=True)
class Upsert:
    """What a write did.

    ``moved`` are the ids whose month changed, ``stale`` those of which an older answer came than
    the one that is here: it changed nothing. ``older`` are those of them that it shows otherwise
    than they are here. ``slips`` are those that changed although they say that they did not, or
    that lack what every transfer has. ``changes`` has a row for each value that changed: id,
    column, before, after, all text (amounts in cents, moments ISO UTC).
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()
    changes: tuple[tuple[str, str, str | None, str | None], ...] = field(
        default=(), compare=False, repr=False
    )


class Said(NamedTuple):
    """By whom rows were said, when (the service's time, microseconds), and in which sync."""

    source: str
    at: int
    run: int | None = None


class _Present(NamedTuple):
    seq: int
    first_seen: int
    since: int
    removed: int | None
    created: int | None
    run: int | None
    row: Row


def upsert(
    db: Connection,
    stream: str,
    rows: Sequence[Row],
    said: Said,
    bodies: Bodies | None = None,
    *,
    overrules: bool = False,
) -> Upsert:
    """Set rows against the present ones of their ids.

    What comes is in doubt no more. Of two answers for one id the older one, by what it says of its
    last change, changes nothing;
    of rows of one age the last stays, but within one sync none that is open takes the place of one
    that is final, where neither says when it changed.

    A row that is new, differs in what is not volatile, or was marked removed, becomes the present
    version; the one before ends where it begins, which is later than that began even if the clock
    went back.

    Parameters
    ----------
    overrules
        What is known is what was asked about, so an older answer is taken too.

    Raises
    ------
    UnexpectedAnswer
        A row has no id.
    """
    last, stale = _latest(stream, rows, said)
    doubts.clear(db, stream, last)
    present = _present(db, stream, list(last))
    write = _Write(db, stream, said)
    for id_, known in present.items():
        if overrules or known.removed is not None:
            continue
        in_one_sync = said.run is not None and known.run == said.run
        answer = _Aged(rows[last[id_]], said.at)
        if _is_older(stream, answer, _Aged(known.row, known.since), in_one_sync=in_one_sync):
            stale[id_] = None
            if _without_age(stream, answer.row) != _without_age(stream, known.row):
                write.older.append(id_)
            if _is_another(answer.row, known.row):
                write.slips.append(id_)
            del last[id_]
    places = list(last.values())
    changed = [place for place in places if _is_news(stream, present, rows[place])]
    kept_as = _keep(db, bodies, changed)
    for number, place in enumerate(changed):
        row = rows[place]
        before = present.get(row["id"])
        write.put(row, before, told=None if kept_as is None else (kept_as, number))
        if stream == TRANSFERS and _is_slip(row, before):
            write.slips.append(row["id"])
    if stream == DETAILS:
        for row in (rows[place] for place in set(places) - set(changed)):
            write.refresh(row, present[row["id"]])
    return write.done(unchanged=len(places) - len(changed), stale=tuple(stale))


def mark_removed(db: Connection, stream: str, ids: Iterable[str], said: Said) -> Upsert:
    """Mark things as gone from the service: they stay, with the moment since which they are.

    ``updated`` counts those marked now, ``unchanged`` those that were marked before; ids that are
    not here are passed over.
    """
    present = _present(db, stream, list(ids))
    doubts.clear(db, stream, present)
    write = _Write(db, stream, said)
    here = [before for before in present.values() if before.removed is None]
    for before in here:
        write.put(before.row, before, is_gone=True)
    return write.done(unchanged=len(present) - len(here))


#: An account that two lists miss, so far apart, is closed: it cannot be asked for by its id.
CLOSING_SPAN = timedelta(hours=1) // timedelta(microseconds=1)

_DAY = timedelta(days=1) // timedelta(microseconds=1)


def close_unlisted(db: Connection, listed: Iterable[str], said: Said) -> Upsert:
    """Put accounts in doubt that a list does not hold; those that were already are closed."""
    known = db.execute(
        "SELECT id FROM versions WHERE stream = ? AND until IS NULL AND removed IS NULL",
        (ACCOUNTS,),
    )
    missing = sorted({id_ for (id_,) in known} - set(listed))
    doubts.add(db, ACCOUNTS, missing, said.at)
    since = doubts.since_of(db, ACCOUNTS)
    gone = [id_ for id_ in missing if since[id_] + CLOSING_SPAN <= said.at]
    return mark_removed(db, ACCOUNTS, gone, said)


def rewrite(db: Connection, stream: str, seq: int, row: Row) -> None:
    """Put another reading of the same answer in a version's place."""
    db.execute(
        "UPDATE versions SET row = ?, created = ?, is_open = ? WHERE seq = ?",
        (dumped(row), row.get("created_at"), _is_open(stream, row), seq),
    )


def insert(
    db: Connection,
    stream: str,
    row: Row,
    *,
    source: str,
    moments: tuple[int, int, int | None, int | None],
    run: int | None = None,
) -> None:
    """Write a version of which no answer is kept.

    Parameters
    ----------
    moments
        When the thing was first seen; since when this version holds; until when, if it is not
        the present one; and since when the thing is gone.
    """
    db.execute(_INSERT, _values(stream, row, source, moments, run, None))


_INSERT = (
    "INSERT INTO versions (stream, id, source, run, first_seen, since, until, removed, "
    "created, is_open, row, answer, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _values(
    stream: str,
    row: Row,
    source: str,
    moments: tuple[int, int, int | None, int | None],
    run: int | None,
    told: tuple[int, int] | None,
) -> tuple[object, ...]:
    return (
        stream, row["id"], source, run, *moments,
        row.get("created_at"), _is_open(stream, row), dumped(row), *(told or (None, None)),
    )  # fmt: skip


# -- inside ------------------------------------------------------------------------------------


def _id_of(row: Row) -> str:
    if not isinstance(row.get("id"), str):
        raise UnexpectedAnswer("a list of rows", "a value for id in every row", "one without")
    return str(row["id"])


def _present(db: Connection, stream: str, ids: Sequence[str]) -> dict[str, _Present]:
    found: dict[str, _Present] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        # Each id is bound by itself: SQLite's JSON ends a text at a NUL.
        query = (
            "SELECT id, seq, first_seen, since, removed, created, run, row FROM versions "  # noqa: S608
            f"WHERE stream = ? AND until IS NULL AND id IN ({', '.join('?' * len(some))})"
        )
        for id_, seq, first_seen, since, removed, created, run, row in db.execute(
            query, (stream, *some)
        ):
            found[id_] = _Present(seq, first_seen, since, removed, created, run, json.loads(row))
    return found


def _latest(stream: str, rows: Sequence[Row], said: Said) -> tuple[dict[str, int], dict[str, None]]:
    """Return the place of the latest row of each id, and the ids of which an older one came."""
    last: dict[str, int] = {}
    stale: dict[str, None] = {}
    for place, row in enumerate(rows):
        id_ = _id_of(row)
        other = _Aged(rows[last[id_]], said.at) if id_ in last else None
        if other and _is_older(stream, _Aged(row, said.at), other, in_one_sync=True):
            stale[id_] = None
        else:
            last[id_] = place
    return last, stale


#: How hard zlib tries: beyond it a page takes twice the time for a tenth of its size.
_LEVEL = 3

#: So many ids are looked up at once.
_AT_ONCE = 1_000


def _is_news(stream: str, present: Mapping[str, _Present], row: Row) -> bool:
    before = present.get(row["id"])
    if before is None or before.removed is not None:
        return True
    old = before.row
    return old != row and lasting(stream, old) != lasting(stream, row)


class _Aged(NamedTuple):
    """A row, and when it was said."""

    row: Row
    at: int

    @property
    def changed(self) -> int | None:
        """When it changed last; not known where that was after it was said."""
        moment: int | None = self.row.get("updated_at")
        return None if moment is None or moment > self.at + _DAY else moment


def _is_older(stream: str, one: _Aged, known: _Aged, *, in_one_sync: bool) -> bool:
    """Tell whether an answer is of a time before the one that is known."""
    if stream != TRANSFERS:
        return False
    if one.changed is not None and known.changed is not None:
        return one.changed < known.changed
    was_final = known.row.get("state") in FINAL and one.row.get("state") not in FINAL
    return in_one_sync and one.changed is known.changed is None and was_final


def _is_slip(row: Row, before: _Present | None) -> bool:
    """Tell whether one answer may be wrong: it lacks what all have, or changed as none does.

    It changed in what a transfer keeps, or without a later ``updated_at`` where it had one.
    """
    if not row.keys() >= _HAD_BY_ALL:
        return before is None or before.row.keys() >= _HAD_BY_ALL
    if before is None or before.removed is not None:
        return False
    if _is_another(row, before.row):
        return True
    known = before.row.get("updated_at")
    return known is not None and row.get("updated_at") in (None, known)


def _without_age(stream: str, row: Row) -> Row:
    return {**lasting(stream, row), "updated_at": None}


def _is_another(row: Row, known: Row) -> bool:
    """Tell whether a row differs from another of its id in what a transfer keeps."""
    return any(row.get(name) != known.get(name) for name in _KEPT_BY_ALL)


#: What every transfer has, and what it keeps.
_HAD_BY_ALL = {"amount_cents", "created_at", "status"}
_KEPT_BY_ALL = ("amount_cents", "created_at", "source_id", "destination_id")


def _is_open(stream: str, row: Row) -> int:
    return int(stream == TRANSFERS and row.get("state") not in FINAL)


def _keep(db: Connection, bodies: Bodies | None, places: Sequence[int]) -> int | None:
    """Keep what an answer said at these places, as one: alike things compress well together."""
    if bodies is None or not places:
        return None
    body = zlib.compress(bodies(places), _LEVEL)
    db.execute("INSERT INTO answers (body) VALUES (?)", (body,))
    return int(next(db.execute("SELECT last_insert_rowid()"))[0])


class _Write:
    """One write to a stream: what it did so far, and which tables do not show it yet."""

    def __init__(self, db: Connection, stream: str, said: Said) -> None:
        self._db, self._stream, self._said = db, stream, said
        self._begun: list[tuple[object, ...]] = []
        self._ended: list[tuple[int, int]] = []
        self._moved: list[str] = []
        self._changes: list[tuple[str, str, str | None, str | None]] = []
        self._unpublished: set[str] = set()
        self._left: set[str] = set()
        self._has_renamed = False
        self.slips: list[str] = []
        self.older: list[str] = []

    def put(
        self,
        row: Row,
        before: _Present | None,
        *,
        told: tuple[int, int] | None = None,
        is_gone: bool = False,
    ) -> None:
        """Add a version; the one before ends where it begins."""
        said, month = self._said, name_of_month(row.get("created_at"))
        since = said.at if before is None else max(said.at, before.since + 1)
        removed = since if is_gone else None
        self._unpublished.add(self._table(month))
        called = None if before is None else before.row.get("name")
        self._has_renamed |= self._stream == ACCOUNTS and called != row.get("name")
        if before is not None:
            self._ended.append((since, before.seq))
            self._changes += _changes(row["id"], self._stream, before, row, removed)
            past = "transfer_history" if self._stream == TRANSFERS else "earlier"
            self._unpublished.add(f"{past}/{name_of_month(since)}")
            old = name_of_month(before.created)
            if old != month and self._stream != ACCOUNTS:  # which are one table
                self._left.add(self._table(old))
                self._moved.append(row["id"])
        moments = (since if before is None else before.first_seen, since, None, removed)
        self._begun.append(_values(self._stream, row, said.source, moments, said.run, told))

    def refresh(self, row: Row, before: _Present) -> None:
        """Note when details were last asked for: whoever decides what to ask for needs it."""
        if before.row != row:
            rewrite(self._db, self._stream, before.seq, row)
            self._unpublished.add(self._table(name_of_month(row.get("created_at"))))

    def done(self, *, unchanged: int, stale: tuple[str, ...] = ()) -> Upsert:
        """Write the versions, and which tables do not show them; tell what was done."""
        self._db.executemany("UPDATE versions SET until = ? WHERE seq = ?", self._ended)
        self._db.executemany(_INSERT, self._begun)
        if self._has_renamed:  # each transfer shows what its accounts are called now
            mark_transfers(self._db)
        mark_changed(self._db, self._unpublished, self._left)
        return Upsert(
            len(self._begun) - len(self._ended), len(self._ended), unchanged, tuple(self._moved),
            stale, tuple(self.older), tuple(self.slips), tuple(self._changes),
        )  # fmt: skip

    def _table(self, month: str) -> str:
        return ACCOUNTS if self._stream == ACCOUNTS else f"{self._stream}/{month}"


_SCHEMAS = {TRANSFERS: TRANSFER_ROWS, ACCOUNTS: ACCOUNT_ROWS}


def _changes(
    id_: str, stream: str, before: _Present, row: Row, removed: int | None
) -> list[tuple[str, str, str | None, str | None]]:
    schema = _SCHEMAS.get(stream)
    if schema is None:
        return []
    found = []
    for column in schema:
        if stream == TRANSFERS and column.name in ("state", "kind"):
            continue  # made of the words beside them, which are told
        old, new = before.row.get(column.name), row.get(column.name)
        if old != new:
            found.append((id_, column.name, _text(column, old), _text(column, new)))
    if before.removed != removed:
        gone = "closed_at" if stream == ACCOUNTS else "removed_at"
        found.append((id_, gone, _moment_text(before.removed), _moment_text(removed)))
    return found


def _text(column: pa.Field[Any], value: Any) -> str | None:
    if value is None:
        return None
    return _moment_text(value) if column.type == MOMENT else str(value)


def _moment_text(count: int | None) -> str | None:
    moment: datetime | None = moment_of(count)
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")
