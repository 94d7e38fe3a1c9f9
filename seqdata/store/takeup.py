"""A record taken up from tables: those of a record that was lost, or of the first version.

What the tables hold is all that goes in; the answers themselves stay unknown.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqdata.core.arrow import pc
from seqdata.core.files import writing_in
from seqdata.sources.rows import Row, dumped, rows_of, with_moment
from seqdata.sources.schemas import (
    ACCOUNT_ROWS,
    ACCOUNTS,
    ADDED,
    ANNOTATIONS,
    BALANCES,
    DETAILS,
    EARLIER,
    LEGS,
    RUNS,
    TRANSFER_HISTORY,
    TRANSFER_ROWS,
    TRANSFERS,
    _schema,
)
from seqdata.sources.webapp.words import leg_in_our_words, transfer_in_our_words
from seqdata.store import doubts
from seqdata.store.beside import STATE, is_first_version
from seqdata.store.months import month_path, months_in
from seqdata.store.record import Connection, mark_everything
from seqdata.store.tables import read_table
from seqdata.store.versions import insert

#: What the rows of the first version are read from, as ``read_from`` says it.
FIRST_VERSION = "first version"

_SEEN = _schema("first_seen_at:moment last_seen_at:moment")
_RAW_TRANSFERS = _schema(
    "organization_id id type status error_reason created_at:moment updated_at:moment "
    "amount_cents:cents source_id source_name source_kind destination_id destination_name "
    "destination_kind direction activity_type description"
)
_RAW_LEGS = _schema(
    "organization_id id leg status created_at:moment completed_at:moment expected_on:date"
)
_OLD_TRANSFERS = pa.schema([*_RAW_TRANSFERS, *_SEEN, *_schema("removed_at:moment")])
_OLD_HISTORY = pa.schema([*_OLD_TRANSFERS, *_schema("replaced_at:moment")])
_OLD_ACCOUNTS = pa.schema([*ACCOUNT_ROWS, *_SEEN, *_schema("closed_at:moment")])
_OLD_BALANCES = _schema("organization_id account_id as_of:moment balance_cents:cents origin")


def take_up(db: Connection, folder: Path) -> None:
    """Put all that the tables in a folder hold into a record that is being made.

    Raises
    ------
    CorruptFile
        A table cannot be read; nothing was changed.
    """
    take = _take_first_version if is_first_version(folder) else _take_own
    take(db, folder)
    mark_everything(db)


def clear_first_version(folder: Path, ledger_folder: Path) -> None:
    """Remove what the first version left and no reader needs; its answers are moved aside."""
    if not is_first_version(folder):
        return
    with writing_in(folder):
        if (folder / "archive").is_dir() and not (ledger_folder / _ANSWERS).exists():
            shutil.move(folder / "archive", ledger_folder / _ANSWERS)
        for name in ("index", "transfer_history", "details", "legs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for leftover in (".rebuild", ".rebuilt", ".replaced"):
            shutil.rmtree(folder / leftover, ignore_errors=True)
        for path in (folder / "transfers" / ".moving", folder / STATE):
            path.unlink(missing_ok=True)


_ANSWERS = "answers-of-the-first-version"


# -- our own tables ----------------------------------------------------------------------------


def _take_own(db: Connection, folder: Path) -> None:
    present = _latest(_every(folder, "transfers", TRANSFERS))
    past = _past(_every(folder, "transfer_history", TRANSFER_HISTORY), present)
    moments = ("first_seen_at", "changed_at", "valid_until", "removed_at")
    _versions(db, "transfers", past, TRANSFER_ROWS, moments)
    _versions(db, "transfers", present, TRANSFER_ROWS, moments)
    accounts = _one(folder, "accounts", ACCOUNTS)
    for stream, rows in (("transfers", present), ("accounts", accounts)):
        for row in rows_of(rows.filter(pc.is_valid(rows["missing_since"]))):
            doubts.add(db, stream, [row["id"]], row["missing_since"])
    _versions(db, "accounts", accounts, ACCOUNT_ROWS, (*moments[:3], "closed_at"))
    _take_details(db, folder, rows_of(_every(folder, "legs", LEGS)), present)
    for row in rows_of(_every(folder, "earlier", EARLIER)):
        stamps = row["first_seen_at"], row["valid_from"], row["valid_until"], row.get("removed_at")
        given = json.loads(row["row"])
        insert(db, row["stream"], given, source=row["read_from"], moments=stamps)
    _take_balances(db, rows_of(_one(folder, "balances", BALANCES)))
    _take_annotations(db, folder)
    runs = rows_of(_one(folder, "runs", RUNS))
    db.executemany(
        "INSERT INTO runs VALUES (?, ?)", [(run.pop("run"), dumped(run)) for run in runs]
    )


def _latest(present: pa.Table) -> pa.Table:
    """Leave one row an id, the later one: a publication that was cut short left it twice."""
    ordered = present.sort_by([("changed_at", "descending")])
    ids = ordered["id"].combine_chunks()
    return ordered.take(pc.unique(pc.index_in(ids, value_set=ids)))


def _past(past: pa.Table, present: pa.Table) -> pa.Table:
    """Leave out versions that had ended in a publication whose present ones never came."""
    held = set(zip(*(present[name].to_pylist() for name in ("id", "changed_at")), strict=True))
    pairs = zip(*(past[name].to_pylist() for name in ("id", "valid_from")), strict=True)
    return past.filter(pa.array([pair not in held for pair in pairs], pa.bool_()))


# -- the first version's -----------------------------------------------------------------------


def _take_first_version(db: Connection, folder: Path) -> None:
    present = _every(folder, "transfers", _OLD_TRANSFERS)
    past = _parts(folder / "transfer_history", _OLD_HISTORY)
    began_at = _chained(db, past)
    latest: dict[str, Row] = {}
    for old in rows_of(present):
        known = latest.get(old["id"], old)
        if known["last_seen_at"] <= old["last_seen_at"]:  # it was moving between months
            latest[old["id"]] = old
    for old in latest.values():
        began = began_at.get(old["id"], old["first_seen_at"])
        moments: Any = (old["first_seen_at"], began, None, old.get("removed_at"))
        insert(db, "transfers", _ours(old), source=FIRST_VERSION, moments=moments)
    for old in rows_of(_one(folder, "accounts", _OLD_ACCOUNTS)):
        given = {name: old[name] for name in ACCOUNT_ROWS.names if name in old}
        seen, closed = old["first_seen_at"], old.get("closed_at")
        moments = (seen, seen, None, closed)
        insert(db, "accounts", given, source=FIRST_VERSION, moments=moments)
    legs = [leg_in_our_words(leg) for leg in rows_of(_every(folder, "legs", _RAW_LEGS))]
    _take_details(db, folder, legs, present)
    _take_balances(db, _stretches(_one(folder, "balances", _OLD_BALANCES)))
    _take_annotations(db, folder)


def _chained(db: Connection, past: pa.Table) -> dict[str, Any]:
    """Take earlier versions, each of which begins where the one before ended."""
    since: dict[str, Any] = {}
    known: set[tuple[Any, ...]] = set()
    for old in sorted(rows_of(past), key=lambda old: (old["id"], old["replaced_at"])):
        version = old["id"], old["last_seen_at"], old.get("removed_at")
        if version in known:  # what an interrupted write left twice is one version
            continue
        known.add(version)
        began: Any = since.get(old["id"], old["first_seen_at"])
        until = max(old["replaced_at"], began + 1)
        moments = (old["first_seen_at"], began, until, old.get("removed_at"))
        insert(db, "transfers", _ours(old), source=FIRST_VERSION, moments=moments)
        since[old["id"]] = until
    return since


def _ours(old: Row) -> Row:
    """Return what a row of the first version says of a transfer, in our words."""
    raw = {name: old[name] for name in _RAW_TRANSFERS.names if name in old}
    return transfer_in_our_words(raw)


def _stretches(table: pa.Table) -> list[Row]:
    """Put observations of one balance in a row together: seen so from the first to the last."""
    found: list[Row] = []
    last: dict[str, Row] = {}
    for row in sorted(rows_of(table), key=lambda row: row["as_of"]):
        before = last.get(row["account_id"])
        row["confirmed_at"] = row["as_of"]
        if row["origin"] == "statement":
            found.append(row)
        elif before is not None and before.get("balance_cents") == row.get("balance_cents"):
            before["confirmed_at"] = row["as_of"]
        else:
            found.append(row)
            last[row["account_id"]] = row
    return found


def _parts(folder: Path, schema: pa.Schema) -> pa.Table:
    parts = [read_table(path, schema) for path in sorted(folder.glob("part-*.parquet"))]
    return pa.concat_tables([schema.empty_table(), *parts])


# -- what both have in common ------------------------------------------------------------------


def _versions(
    db: Connection, stream: str, table: pa.Table, schema: pa.Schema, moments: tuple[str, ...]
) -> None:
    for row in rows_of(table):
        given = {name: row[name] for name in schema.names if name in row}
        stamps: Any = tuple(row.get(name) for name in moments)
        insert(db, stream, given, source=row.get("read_from", FIRST_VERSION), moments=stamps)


def _take_details(db: Connection, folder: Path, legs: Iterable[Row], transfers: pa.Table) -> None:
    of: dict[str, list[Row]] = {}
    for leg in sorted(legs, key=lambda leg: str(leg.get("leg"))):
        of.setdefault(leg.pop("id"), []).append(leg)
    details = pa.concat_tables(
        [_every(folder, "details", DETAILS), _one(folder, "details", DETAILS)]
    )
    created = dict(zip(transfers["id"].to_pylist(), rows_of(transfers), strict=True))
    taken = {row["id"]: row for row in rows_of(details)}
    for id_, row in taken.items():
        at, transfer = row.get("fetched_at", 0), created.get(id_, {})
        source = transfer.get("read_from", FIRST_VERSION)
        given = {**with_moment(row, transfer), **({"legs": of[id_]} if id_ in of else {})}
        insert(db, "details", given, source=source, moments=(at, at, None, None))


def _take_balances(db: Connection, rows: Iterable[Row]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?, ?)",
        [
            (
                row["account_id"], row["as_of"], row["confirmed_at"], row.get("balance_cents"),
                row["origin"],
            )
            for row in rows
        ],
    )  # fmt: skip


def _take_annotations(db: Connection, folder: Path) -> None:
    rows = rows_of(_one(folder, "annotations", ANNOTATIONS))
    db.executemany(
        "INSERT INTO annotations VALUES (?, ?)", [(row["id"], dumped(row)) for row in rows]
    )


def _every(folder: Path, name: str, schema: pa.Schema) -> pa.Table:
    paths = (month_path(folder / name, month) for month in months_in(folder / name))
    tables = [read_table(path, schema, may_lack=ADDED) for path in paths if path.exists()]
    return pa.concat_tables([schema.empty_table(), *tables])


def _one(folder: Path, name: str, schema: pa.Schema) -> pa.Table:
    with suppress(FileNotFoundError):
        return read_table(folder / name / "data.parquet", schema, may_lack=ADDED)
    return schema.empty_table()
