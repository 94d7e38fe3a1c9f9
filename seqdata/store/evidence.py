"""What was said: the answers that the record kept, shown and read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from typing import Any

from seqdata.core.json import parse_json
from seqdata.core.moments import moment_of
from seqdata.sources.base import Reader
from seqdata.sources.rows import Row
from seqdata.store.record import Connection
from seqdata.store.versions import rewrite, unpacked

#: So many answers are read again at once.
_BATCH = 500


def of(db: Connection, id_: str) -> list[dict[str, Any]]:
    """List what was said of a thing, oldest first.

    Each has stream, read_from, run, valid_from, valid_until, removed_at (moments in UTC) and
    ``said``: the answer's own JSON, None where it was not kept.
    """
    found = db.execute(
        "SELECT stream, source, run, since, until, removed, body FROM versions "
        "WHERE id = ? AND until IS NOT NULL UNION ALL "
        "SELECT stream, source, run, since, until, removed, body FROM versions "
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
            "said": None if body is None else parse_json(unpacked(body)),
        }
        for stream, source, run, since, until, removed, body in ordered
    ]


def read_again(
    db: Connection, reader: Reader, on_progress: Callable[[int], None] | None
) -> dict[str, int]:
    """Read all kept answers of a source again; see :meth:`Store.rebuild`."""
    query = (
        "SELECT stream, seq, row, body FROM versions "
        "WHERE body IS NOT NULL AND source = ? ORDER BY stream, seq"
    )
    kept = list(db.execute(query, (reader.name,)))
    every = next(db.execute("SELECT count(*) FROM versions"))[0]
    read = changed = 0
    for stream, of_stream in groupby(kept, key=lambda one: one[0]):
        rows = list(of_stream)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            again = reader.read_again(stream, [unpacked(body) for *_, body in batch])
            for (_, seq, old, _), row in zip(batch, again, strict=True):
                changed += rewrite(db, stream, seq, old, _with_moments(old, row))
            read += len(batch)
            if on_progress is not None:
                on_progress(read)
    return {"read": read, "changed": changed, "unread": every - read}


def _with_moments(old: str, row: Row) -> Row:
    """Keep when details were fetched: that is no part of the answer."""
    fetched = json.loads(old).get("fetched_at")
    return row if fetched is None else {**row, "fetched_at": fetched}
