"""What is in doubt: things that a reading should have shown, and did not. They stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqdata.store.months import name_of_month
from seqdata.store.record import Connection, mark_changed


def add(db: Connection, stream: str, ids: Sequence[str], at: int) -> None:
    """Put things in doubt since a moment.

    Those that were before have been missed by one more reading; a doubt that began later than `at`
    (a clock was wrong) begins then.
    """
    before = _among(db, stream, ids)
    db.executemany(
        "INSERT INTO doubts VALUES (?, ?, ?, 1) ON CONFLICT (stream, id) "
        "DO UPDATE SET tries = tries + 1, since = min(since, excluded.since)",
        [(stream, id_, at) for id_ in ids],
    )
    _mark(db, stream, [id_ for id_ in ids if id_ not in before])


def clear(db: Connection, stream: str, ids: Iterable[str]) -> None:
    """Take things out of doubt: they were shown, or are known to be gone."""
    found = sorted(_among(db, stream, ids))
    db.executemany(
        "DELETE FROM doubts WHERE stream = ? AND id = ?", [(stream, id_) for id_ in found]
    )
    _mark(db, stream, found)


def since_of(db: Connection, stream: str) -> dict[str, int]:
    """Tell since when each thing of a stream that is in doubt is."""
    return dict(db.execute("SELECT id, since FROM doubts WHERE stream = ?", (stream,)))


def _among(db: Connection, stream: str, ids: Iterable[str]) -> set[str]:
    known = since_of(db, stream)
    return known.keys() & set(ids) if known else set()


def _mark(db: Connection, stream: str, ids: Sequence[str]) -> None:
    if not ids:
        return
    if stream == "accounts":
        mark_changed(db, ["accounts"])
        return
    created = [next(db.execute(_CREATED, (stream, id_)), (None,))[0] for id_ in ids]
    mark_changed(db, {f"{stream}/{name_of_month(moment)}" for moment in created})


_CREATED = "SELECT created FROM versions WHERE stream = ? AND id = ? AND until IS NULL"
