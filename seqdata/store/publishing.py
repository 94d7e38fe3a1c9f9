"""The Parquet tables, made of the record: only those that do not show it yet.

Each file is whole at any moment. While files are put in their place, ``.published.json`` says so;
whoever reads looks at it before and after, and so never takes half of one publication and half of
another for a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.core.files import remove_file
from seqdata.core.moments import micros
from seqdata.exceptions import CorruptFile, ForeignTables
from seqdata.sources.rows import Row, legs_in, table_of, table_of_rows
from seqdata.sources.schemas import (
    ACCOUNTS,
    ANNOTATIONS,
    BALANCES,
    DETAILS,
    EARLIER,
    LEGS,
    MOMENT,
    RUNS,
    TRANSFER_HISTORY,
    TRANSFERS,
)
from seqdata.sources.vocabulary import OWN
from seqdata.store.beside import CARRIED, Note, read_note, write_note
from seqdata.store.clocks import observed_balances, overtaken
from seqdata.store.months import UNKNOWN, month_bounds, month_path, months_in, newest_month_first
from seqdata.store.record import WHOLE, Connection, Record, read_facts
from seqdata.store.tables import read_facts as read_facts_of
from seqdata.store.tables import write_table


def _layout(*schemas: pa.Schema) -> str:
    columns = [[one.name, str(one.type)] for schema in schemas for one in schema]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


#: Names the columns that tables have: those of another layout are published anew.
LAYOUT = _layout(
    TRANSFERS, TRANSFER_HISTORY, DETAILS, LEGS, EARLIER, ACCOUNTS, BALANCES, ANNOTATIONS, RUNS
)


def publish(record: Record, folder: Path) -> bool:
    """Bring the tables up to what the record holds; for the holder of their lock.

    Returns
    -------
    bool
        Whether any did not show it yet.

    Raises
    ------
    FolderNotWritable
        The file system refused. The same call again completes it.
    """
    with record.reading() as db:
        waiting = waiting_tables(db)
        facts = read_facts(db, [*CARRIED, "generation"])
        note = read_note(folder)
        if not waiting and note is not None and not note.is_going_on:
            return False
        write_note(folder, facts, layout=LAYOUT, going_on=True)
        rows = [found for name in waiting for found in _publish(db, folder, name, facts)]
    generation = facts["generation"]
    with record.writing() as db:
        db.executemany(
            "INSERT INTO tables VALUES (?, ?, ?, ?, 0) ON CONFLICT (name) DO UPDATE "
            "SET published = excluded.published, rows = excluded.rows, is_left = 0",
            [(name, generation, generation, count) for name, count in rows],
        )
    write_note(folder, facts, layout=LAYOUT, going_on=False)
    return True


def is_up_to_date(db: Connection, note: Note | None) -> bool:
    """Whether the tables beside a note are the last that were published of a record."""
    if note is None or note.is_going_on or is_other(db, note):
        return False
    return note.record_id == read_facts(db, ["id"])["id"] and not waiting_tables(db)


def is_other(db: Connection, note: Note | None) -> bool:
    """Whether the tables beside a note are none of a record's, older, or of other columns."""
    last = next(db.execute("SELECT max(published) FROM tables"))[0]
    return note is None or last is None or (note.generation, note.layout) != (last, LAYOUT)


def waiting_tables(db: Connection) -> list[str]:
    """List the tables that do not show what the record holds, in the order of publishing.

    What rows were comes before what they are, the month that one came to before the one it left.
    """
    query = (
        "SELECT name FROM tables WHERE published IS NULL OR published < changed "
        "ORDER BY name GLOB 'transfer_history/*' OR name GLOB 'earlier/*' DESC, is_left, name DESC"
    )
    return [name for (name,) in db.execute(query)]


def months_of(db: Connection, stem: str) -> list[str]:
    """List the months of a table that have rows, newest first and the unknown one last."""
    query = "SELECT name FROM tables WHERE name GLOB ? AND rows > 0"
    names = [name.partition("/")[2] for (name,) in db.execute(query, (f"{stem}/*",))]
    return newest_month_first(names)


def months_lying(folder: Path) -> set[str]:
    """Name the months that lie in a folder, whoever put them there."""
    return {
        f"{PUBLISHED_WITH.get(name, name)}/{month}"
        for name in (*MONTHLY, *PUBLISHED_WITH)
        for month in months_in(folder / name)
    }


def project(db: Connection, target: str, organization_id: str) -> pa.Table:
    """Make a table whole from the record itself."""
    made = _MAKERS[PUBLISHED_WITH.get(target, target)](db, None)
    return of_organization(made[target], organization_id)


def newest_first(table: pa.Table) -> pa.Table:
    """Sort by created_at, newest first; ties by id."""
    return table.sort_by([("created_at", "descending"), ("id", "ascending")])


def check_owner(folder: Path, record: Record, *, is_first: bool) -> None:
    """Refuse to publish over tables that are none of a record's.

    Parameters
    ----------
    is_first
        The record was just made of the first version's tables, which lie there.

    Raises
    ------
    ForeignTables
        They are of another record, or of the first version and were not taken over.
    """
    own = record.facts()["id"]
    note = read_note(folder)
    owner = _owner(folder, nobody=own if is_first else None) if note is None else note.record_id
    if owner not in (None, own):
        raise ForeignTables(folder, owner, own)


def _owner(folder: Path, *, nobody: str | None) -> str | None:
    """Tell whose tables these are by the tables themselves, where nothing beside them says so."""
    for name in ("accounts", "balances", "annotations"):
        with suppress(FileNotFoundError, CorruptFile):
            found = read_facts_of(folder / name / "data.parquet").get("seqdata.record")
            return found or nobody or "tables of the first version, or of another program"
    return None


def _publish(
    db: Connection, folder: Path, name: str, facts: dict[str, Any]
) -> Iterator[tuple[str, int]]:
    """Put a table in its place; yield what was put there, and its rows."""
    said = {"seqdata.record": facts["id"], "seqdata.generation": str(facts["generation"])}
    stem, _, month = name.partition("/")
    for target, table in _MAKERS[stem](db, month or None).items():
        path = month_path(folder / target, month)
        if table.num_rows or not month:
            write_table(path, of_organization(table, facts["organization_id"]), said)
        else:
            remove_file(path)
            with suppress(OSError):
                path.parent.rmdir()
        yield f"{target}/{month}" if month else target, table.num_rows


def of_organization(table: pa.Table, organization_id: str) -> pa.Table:
    """Fill the column that is the same in each row of a record."""
    place = table.schema.get_field_index("organization_id")
    if place < 0:
        return table
    field = table.schema.field(place)
    return table.set_column(place, field, pa.repeat(organization_id, table.num_rows))


# -- projections -------------------------------------------------------------------------------


def _transfers(db: Connection, month: str | None) -> dict[str, pa.Table]:
    """Make the present versions of a month, newest first, with what own accounts are called now."""
    where, bounds = _span("created", month)
    query = (
        f"SELECT row, source, first_seen, v.since, d.since, removed FROM versions v {_DOUBTED} "  # noqa: S608
        f"WHERE v.stream = 'transfers' AND until IS NULL{where}"
    )
    table = _stamped(db.execute(query, bounds), TRANSFERS, (*_STAMPS, "removed_at"))
    called = db.execute(
        "SELECT id, json_extract(row, '$.name') FROM versions "
        "WHERE stream = 'accounts' AND until IS NULL"
    )
    return {"transfers": newest_first(_with_present_names(table, dict(called)))}


def _history(db: Connection, month: str | None) -> dict[str, pa.Table]:
    """Make the versions of transfers that ended in a month."""
    where, bounds = _span("until", month)
    query = (
        "SELECT row, source, first_seen, since, NULL, removed, since, until FROM versions "  # noqa: S608
        f"WHERE stream = 'transfers' AND until IS NOT NULL{where} ORDER BY id, since"
    )
    stamps = (*_STAMPS, "removed_at", "valid_from", "valid_until")
    return {"transfer_history": _stamped(db.execute(query, bounds), TRANSFER_HISTORY, stamps)}


def _details(db: Connection, month: str | None) -> dict[str, pa.Table]:
    """Make legs before details: a transfer with details has its legs."""
    where, bounds = _span("created", month)
    query = (
        f"SELECT row FROM versions WHERE stream = 'details' AND until IS NULL{where} ORDER BY id"  # noqa: S608
    )
    rows: list[Row] = [json.loads(row) for (row,) in db.execute(query, bounds)]
    legs = [leg for row in rows for leg in sorted(legs_in(row), key=lambda leg: leg["leg"])]
    return {"legs": table_of_rows(legs, LEGS), "details": table_of_rows(rows, DETAILS)}


def _earlier(db: Connection, month: str | None) -> dict[str, pa.Table]:
    """Make the versions of accounts and details that ended in a month."""
    where, bounds = _span("until", month)
    query = (
        "SELECT '{}', stream, id, source, first_seen, since, until, removed, row FROM versions "  # noqa: S608
        f"WHERE stream != 'transfers' AND until IS NOT NULL{where} ORDER BY stream, id, since"
    )
    names = (
        "stream", "id", "read_from", "first_seen_at", "valid_from", "valid_until", "removed_at",
        "row",
    )  # fmt: skip
    return {"earlier": _stamped(db.execute(query, bounds), EARLIER, names)}


def _accounts(db: Connection, _: str | None) -> dict[str, pa.Table]:
    query = (
        f"SELECT row, source, first_seen, v.since, d.since, removed FROM versions v {_DOUBTED} "  # noqa: S608
        "WHERE v.stream = 'accounts' AND until IS NULL ORDER BY v.id"
    )
    return {"accounts": _stamped(db.execute(query), ACCOUNTS, (*_STAMPS, "closed_at"))}


def _balances(db: Connection, _: str | None) -> dict[str, pa.Table]:
    rows = (("{}", *one) for one in observed_balances(db))
    names = ("account_id", "as_of", "confirmed_at", "balance_cents", "origin")
    return {"balances": _stamped(rows, BALANCES, names)}


def _annotations(db: Connection, _: str | None) -> dict[str, pa.Table]:
    rows = [row for (row,) in db.execute("SELECT row FROM annotations ORDER BY id")]
    return {"annotations": table_of(rows, ANNOTATIONS)}


def _runs(db: Connection, _: str | None) -> dict[str, pa.Table]:
    return {"runs": _stamped(db.execute("SELECT row, run FROM runs ORDER BY run"), RUNS, ("run",))}


#: What makes each table, of a month or of all (None): tables by name, in the order of publishing.
_MAKERS: dict[str, Callable[[Connection, str | None], dict[str, pa.Table]]] = {
    "transfers": _transfers,
    "transfer_history": _history,
    "details": _details,
    "earlier": _earlier,
    "accounts": _accounts,
    "balances": _balances,
    "annotations": _annotations,
    "runs": _runs,
}

#: What is published together with another table.
PUBLISHED_WITH = {"legs": "details"}

#: The tables that are published by month.
MONTHLY = tuple(name for name in _MAKERS if name not in WHOLE)

_STAMPS = ("read_from", "first_seen_at", "changed_at", "missing_since")
_DOUBTED = "LEFT JOIN doubts d ON d.stream = v.stream AND d.id = v.id"


def _span(column: str, month: str | None) -> tuple[str, tuple[int, ...]]:
    if month is None:
        return "", ()
    if month == UNKNOWN:
        return f" AND {column} IS NULL", ()
    return f" AND {column} >= ? AND {column} < ?", month_bounds(month)


def _stamped(rows: Iterable[Any], schema: pa.Schema, names: tuple[str, ...]) -> pa.Table:
    """Make a table of rows in JSON and the columns that stand beside them in the record."""
    found = list(rows)
    inside = pa.schema([one for one in schema if one.name not in names])
    table = table_of([row for row, *_ in found], inside)
    columns = {name: table[name] for name in inside.names}
    beside: list[Any] = list(zip(*(rest for _, *rest in found), strict=True)) or [()] * len(names)
    for name, values in zip(names, beside, strict=True):
        kind = schema.field(name).type
        plain: Any = pa.array(values, pa.int64() if kind == MOMENT else kind)
        columns[name] = plain.cast(kind)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _with_present_names(table: pa.Table, names: dict[str, str]) -> pa.Table:
    ids, called = pa.array(list(names), pa.string()), pa.array(list(names.values()), pa.string())
    for end in ("source", "destination"):
        is_own = pc.is_in(table[f"{end}_party"], value_set=pa.array(OWN, pa.string()))
        now: Column = called.take(pc.index_in(table[f"{end}_id"], value_set=ids).combine_chunks())
        place = table.schema.get_field_index(f"{end}_name")
        said = table[f"{end}_name"]
        shown = pc.if_else(pc.and_(is_own, pc.is_valid(now)), now, said)
        table = table.set_column(place, table.schema.field(place), shown)
    return table


def confirmed_at(table: pa.Table, runs: pa.Table) -> Column:
    """Tell when each transfer was last said: by its own version, or by a sync that read its time.

    Parameters
    ----------
    table
        id, created_at and changed_at.
    runs
        RUNS.
    """
    created = _counts(table["created_at"], -1 << 62)
    confirmed = changed = _counts(table["changed_at"], 0)
    wrong = overtaken([micros(run["began_at"]) for run in runs.to_pylist()])
    every = [run for run in runs.to_pylist() if micros(run["began_at"]) not in wrong]
    whole = [run for run in every if run["read_at"] is not None]
    reached: int | None = None  # how far later syncs read: what read less says less
    for run in sorted(whole, key=lambda run: run["read_at"], reverse=True):
        since = -1 << 62 if run["since"] is None else micros(run["since"])
        if reached is None or since < reached:
            reached = since
            read_at = micros(run["read_at"])
            confirmed = np.where(created >= since, np.maximum(confirmed, read_at), confirmed)
    for run in every:
        ids = pa.array(json.loads(run["asked"] or "[]"), pa.string())
        at = micros(run["ended_at"] or run["began_at"])
        asked = np.asarray(pc.is_in(table["id"], value_set=ids)) if len(ids) else False
        confirmed = np.where(asked, np.maximum(confirmed, at), confirmed)
    if "removed_at" in table.column_names:
        confirmed = np.where(np.asarray(pc.is_valid(table["removed_at"])), changed, confirmed)
    return pa.array(confirmed, pa.int64()).cast(MOMENT)


def _counts(column: Column, missing: int) -> Any:
    return np.array(pc.fill_null(column.cast(pa.int64()), missing), dtype=np.int64)
