"""What the tests of the store share: rows, processes, and the tables as other programs see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, settings
from trust import SOAK

import seqdata
from seqdata.sources.base import Bodies, Page, Snapshot, TransferDetails
from seqdata.sources.rows import rows_of, with_moment
from seqdata.sources.schemas import DETAILS, LEGS, TRANSFER_ROWS
from seqdata.store import Store, Upsert
from seqdata.store.publishing import MONTHLY, project
from seqdata.store.record import WHOLE

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://app.example.com"

#: All tables that are published, as their folders are called.
TABLES = (*WHOLE, *MONTHLY, "legs")

#: Those that people read; what is `earlier` is read by nobody but who takes a record up.
READ = tuple(name for name in TABLES if name != "earlier")

#: How often a law is put to the test.
LAWS = settings(
    max_examples=200 if SOAK else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def open_store(
    folder: Path, organization_id: str = "org_1", url: str = URL, cache_dir: Path | None = None
) -> Store:
    return Store.open(folder, organization_id, app_url=url, cache_dir=cache_dir)


def row(id: str, day: str | None = "2026-10-05", **values: Any) -> dict[str, Any]:
    created = None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
    return {"organization_id": "org_1", "id": id, "created_at": created, **values}


def table(*rows: dict[str, Any], schema: pa.Schema = TRANSFER_ROWS) -> pa.Table:
    return pa.Table.from_pylist([{"organization_id": "org_1", **each} for each in rows], schema)


def detail(
    id: str, *legs: str, cron: str | None = None, at: datetime = NOON
) -> tuple[pa.Table, pa.Table]:
    kind = "rule" if legs else "by_hand"
    steps = [{"id": id, "leg": leg, "expected_on": date(2026, 11, 3)} for leg in legs]
    made = {"id": id, "kind": kind, "rule_trigger_cron": cron, "fetched_at": at}
    return table(made, schema=DETAILS), table(*steps, schema=LEGS)


def kept(*said: Any) -> Bodies:
    """What a source hands over to be kept of its answer, a thing a row."""
    return lambda places: json.dumps([said[place] for place in places]).encode()


def deliver(store: Store, rows: pa.Table, *, at: datetime, bodies: Bodies | None = None) -> Upsert:
    """Take in a page of transfers."""
    return store.take(page_of(rows, at=at, bodies=bodies))


def page_of(rows: pa.Table, *, at: datetime, bodies: Bodies | None = None) -> Page:
    """A page of these transfers, the last one."""
    return Page(rows_of(rows), "", has_next_page=False, served_at=at, bodies=bodies)


def deliver_accounts(store: Store, rows: pa.Table, *, at: datetime) -> Upsert:
    """Take in a complete list of accounts, without their balances."""
    return store.take(Snapshot(rows_of(rows), [], at))


def deliver_details(store: Store, rows: pa.Table, details: pa.Table, legs: pa.Table) -> Upsert:
    """Take in transfers with their details, as fetched at the moment that these say."""
    return store.take(details_of(rows, details, legs))


def details_of(
    rows: pa.Table, details: pa.Table, legs: pa.Table, *, bodies: Bodies | None = None
) -> TransferDetails:
    """Transfers with their details and the legs of these."""
    of: dict[str, list[dict[str, Any]]] = {}
    for leg in sorted(rows_of(legs), key=lambda leg: leg["leg"]):
        of.setdefault(leg.pop("id"), []).append(leg)
    made = [
        with_moment(one, transfer) | ({"legs": of[one["id"]]} if one["id"] in of else {})
        for one, transfer in zip(rows_of(details), rows_of(rows), strict=True)
    ]
    at = details["fetched_at"][0].as_py() if details.num_rows else NOON
    return TransferDetails(rows_of(rows), made, at, bodies=bodies)


def ids(found: pa.Table) -> list[str]:
    return [str(id) for id in found["id"].to_pylist()]


def values(found: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found.to_pylist()]


def months(store: Store, name: str = "transfers") -> list[str]:
    return sorted(path.name for path in (store.folder / name).glob("month=*"))


def files(store: Store) -> list[Path]:
    return sorted(store.folder.rglob("*.parquet"))


def shown(store: Store) -> dict[str, list[str]]:
    """The rows of all Parquet files that lie there, as any program reads them."""
    found: dict[str, list[str]] = {name: [] for name in TABLES}
    for path in files(store):
        rows = pq.ParquetFile(path).read().to_pylist()
        found[path.relative_to(store.folder).parts[0]] += map(repr, rows)
    return {name: sorted(rows) for name, rows in found.items()}


def recorded(store: Store, *names: str) -> dict[str, list[str]]:
    """The rows of tables, as the record itself gives them."""
    with store.record.reading() as db:
        found = {name: project(db, name, store.organization_id) for name in names}
    return {name: sorted(map(repr, rows.to_pylist())) for name, rows in found.items()}


def check_tables(store: Store) -> None:
    """The tables that people read are what the record says."""
    lying = shown(store)
    assert {name: lying[name] for name in READ} == recorded(store, *READ)


def everything(store: Store) -> dict[str, Any]:
    """All that a store tells, but for what was said."""
    return {
        "transfers": store.read_transfers(include_removed=True),
        "history": store.read_history(),
        "as of": [store.transfers_as_of(NOON + hours * HOUR) for hours in (0, 1)],
        "accounts": store.read_accounts(),
        "balances": store.read_balances(),
        "details": store.read_details(),
        "legs": store.read_legs(),
        "annotations": store.read_annotations(),
        "runs": store.read_runs(),
        "state": store.read_state(),
        "open": store.open_transfers(),
        "wanted": store.wanted(),
    }


@contextmanager
def child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script that imports seqdata, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(seqdata.__file__).parents[1])},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
