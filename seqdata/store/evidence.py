"""What was said: the answers that the record kept, shown and read again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from seqdata.core.json import parse_json
from seqdata.core.moments import moment_of
from seqdata.sources.base import Reader
from seqdata.sources.rows import Row
from seqdata.store.record import Connection
from seqdata.store.versions import rewrite

#: So many answers are read again at once.
_BATCH = 500


def of(db: Connection, id_: str) -> list[dict[str, Any]]:
    """List what was said of a thing, oldest first.

    Each has stream, read_from, run, valid_from, valid_until, removed_at (moments in UTC) and
    ``said``: the answer's own JSON, None where it was not kept.
    """
    columns = "stream, source, run, since, until, removed, answer, place"
    found = db.execute(
        f"SELECT {columns} FROM versions WHERE id = ? AND until IS NOT NULL UNION ALL "  # noqa: S608
        f"SELECT {columns} FROM versions "
        "WHERE stream IN ('transfers', 'accounts', 'details') AND id = ? AND until IS NULL",
        (id_, id_),
    )
    ordered = sorted(found, key=lambda row: (row[3], row[0]))
    return [
        {
            "stream": stream,
            "read_from": source,
            "run": run,
            "valid_from": moment_of(since),
            "valid_until": moment_of(until),
            "removed_at": moment_of(removed),
            "said": None if answer is None else _at(_kept(db, answer), place),
        }
        for stream, source, run, since, until, removed, answer, place in ordered
    ]


def read_again(
    db: Connection, reader: Reader, on_progress: Callable[[int], None] | None
) -> dict[str, int]:
    """Read all kept answers of a source again; see :meth:`Store.rebuild`."""
    every = next(db.execute("SELECT count(*) FROM versions"))[0]
    read = changed = 0
    for stream, batch in _batches(db, reader.name):
        again = reader.read_again(stream, [said for _, _, said in batch])
        for (seq, old, _), row in zip(batch, again, strict=True):
            before = json.loads(old)
            now = _with_moments(before, row)
            if now != before:
                rewrite(db, stream, seq, now)
                changed += 1
        read += len(batch)
        if on_progress is not None:
            on_progress(read)
    return {"read": read, "changed": changed, "unread": every - read}


def _batches(db: Connection, source: str) -> Iterator[tuple[str, list[tuple[int, str, Any]]]]:
    """Yield versions of a stream, some at once: their number, their row, and what was said."""
    query = (
        "SELECT stream, answer, place, seq, row FROM versions "
        "WHERE answer IS NOT NULL AND source = ? ORDER BY stream, answer"
    )
    versions = list(db.execute(query, (source,)))
    for stream, of_stream in groupby(versions, key=lambda one: one[0]):
        batch: list[tuple[int, str, Any]] = []
        for answer, told in groupby(of_stream, key=lambda one: one[1]):
            said = _kept(db, answer)
            batch += [(seq, row, _at(said, place)) for _, _, place, seq, row in told]
            if len(batch) >= _BATCH:
                yield stream, batch
                batch = []
        if batch:
            yield stream, batch


def _kept(db: Connection, answer: int) -> Any:
    body = next(db.execute("SELECT body FROM answers WHERE number = ?", (answer,)))[0]
    return parse_json(zlib.decompress(body))


def _at(said: Any, place: int | None) -> Any:
    return said if place is None else said[place]


def _with_moments(before: Row, row: Row) -> Row:
    """Keep when details were fetched: that is no part of the answer."""
    fetched = before.get("fetched_at")
    return row if fetched is None else {**row, "fetched_at": fetched}
