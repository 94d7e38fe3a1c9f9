"""A database that nobody here wrote does every sum again, from the Parquet tables, to the cent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sums_in_sql as sql
from click.testing import CliRunner
from ledger_journal import MOVEMENTS
from trust import SOAK

from seqdata import Ledger
from seqdata.cli import cli
from seqdata.ledger.ledger import demo_settings
from seqdata.sandbox import Sandbox

SEEDS = range(1, 11) if SOAK else (4, 6)
ZONES = ("America/New_York", "America/Havana", "Pacific/Apia", "UTC")
FREQS = ("day", "week", "month", "quarter", "year")
#: What of a table a grouping is told apart by: our word, the column, the column in SQL.
GROUPS = {"category": "category", "payee": "payee", "pod": "pod_id", "account": "account_id"}
FLOWS = ("money_in", "money_out", "net", "internal", "in_transit", "pending_in", "pending_out")


@dataclass
class World:
    """A household that lived, its published tables, and who reads them, in which zones."""

    readers: dict[str, Ledger]
    folder: Path
    labels: list[tuple[str, str, str]]


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Live four months, with a rename, twins of one name, and purchases that were split."""
    folder = tmp_path_factory.mktemp("world")
    seed = request.param
    with Sandbox(seed=seed, months=4, now=f"2026-{2 + 2 * seed % 11:02}-03") as box:
        with Ledger.demo(sandbox=box, folder=folder) as ledger:
            for days in (0, 1, 3, 6):
                box.advance(days=days, hours=5)
                ledger.sync(details="all", details_per_request=100, progress=False)
            pods = ledger.pods["id"].tolist()
            box.rename(pods[0], "Larder")
            box.rename(pods[1], "Twins")
            box.rename(pods[2], "Twins")
            ledger.sync(details="all", details_per_request=100, progress=False)
            _split(ledger)
            labels = ledger.categorized()[["id", "payee", "category"]].drop_duplicates("id")
            tables = Path(ledger.folder)
        readers = {
            zone: Ledger(replace(demo_settings(box, folder), timezone=zone), box.organization_id)
            for zone in (ZONES if SOAK else (ZONES[seed % len(ZONES)],))
        }
    known = labels.astype("object").where(labels.notna(), None)
    return World(readers, tables, list(known.itertuples(index=False, name=None)))


def _split(ledger: Ledger) -> None:
    """Take some purchases, a refund and what has not arrived apart."""
    rows = ledger.categorized(direction="outgoing")
    rows = rows[(rows["destination_party"] == "merchant") & (rows["amount_cents"] > 100)]
    back = ledger.categorized(direction="incoming")
    back = back[(back["source_party"] == "merchant") & (back["amount_cents"] > 100)]
    chosen = pd.concat([rows[::20], rows[rows["state"] != "settled"], back[:2]])
    for id_, cents in zip(chosen["id"], chosen["amount_cents"], strict=True):
        ledger.annotate(id_, split={"Gifts": "0.99", "Odd 'ends'": f"{(cents - 99) / 100:.2f}"})


@cache
def zone_of(ledger: Ledger) -> str:
    return str(ledger.transfers["created_at"].dt.tz)


def cells(frame: pd.DataFrame, keys: list[str | None], values: list[str]) -> sql.Cells:
    """Return the rows of a frame by their keys; a key that is None is None of all."""
    found: sql.Cells = {}
    for row in frame.to_dict("records"):
        key = tuple(_plain(row[name]) if name else None for name in keys)
        assert key not in found, key
        found[key] = tuple(0 if pd.isna(row[name]) else int(row[name]) for name in values)
    return found


def _plain(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return None if pd.isna(value) else value


def nonzero(found: sql.Cells) -> sql.Cells:
    return {key: row for key, row in found.items() if any(row)}


def spent_here(
    ledger: Ledger, by: str | None, freq: str | None, by_day: str, **words: Any
) -> sql.Cells:
    frame = ledger.spending(by, freq=freq, by_day=by_day, **words)
    keys = ["period" if freq else None, GROUPS.get(by or "")]
    return nonzero(cells(frame, keys, ["spent_cents", "open_cents", "transfers"]))


def spent_told(
    db: duckdb.DuckDBPyConnection, zone: str, by: str | None, freq: str | None, by_day: str,
    *more: Any,
) -> sql.Cells:  # fmt: skip
    return nonzero(sql.spending(db, by and GROUPS[by], freq, zone, by_day, *more))


def shares_here(ledger: Ledger, by: str, freq: str) -> sql.Cells:
    frame = ledger.spending(by, freq=freq)
    for name in ("share", "period_share"):
        frame[name] = (frame[name].fillna(-1e-12) * 1e12).round()
    return nonzero(cells(frame, ["period", GROUPS[by]], ["share", "period_share"]))


def texts_here(ledger: Ledger, words: list[str]) -> sql.Cells:
    frame = ledger.transfers_where(text=words)
    found = frame[frame["amount_cents"].notna()].groupby("state", observed=True)["amount_cents"]
    sums = found.agg(["sum", "size"]).itertuples()
    return {(str(state),): (int(cents), int(count)) for state, cents, count in sums}


def flows_here(ledger: Ledger, by: str | None, freq: str, boundary: str, **words: Any) -> sql.Cells:
    frame = ledger.cash_flow(by=by, freq=freq, boundary=boundary, **words)
    for name in FLOWS:
        if f"{name}_cents" not in frame:
            frame[f"{name}_cents"] = 0
    key = GROUPS.get(by or "")
    return nonzero(cells(frame, ["period", key], [f"{name}_cents" for name in FLOWS]))


def flows_told(
    db: duckdb.DuckDBPyConnection, zone: str, by: str | None, freq: str, boundary: str, *more: str
) -> sql.Cells:
    """Leave out what the table does not tell: moves inside but by account, transit of a bank."""
    told = sql.cash_flow(db, by and GROUPS[by], freq, zone, boundary, *more)
    inside, transit = by == "account", boundary == "sequence"
    return nonzero(
        {key: (*row[:3], row[3] * inside, row[4] * transit, *row[5:]) for key, row in told.items()}
    )


def moved_here(ledger: Ledger) -> sql.Cells:
    frame = ledger.money_flow()
    frame["from_what"] = frame["from_id"].where(frame["from_kind"] != "income", frame["from_name"])
    frame["to_what"] = frame["to_id"].where(frame["to_kind"] != "category", frame["to_name"])
    return cells(frame, ["from_kind", "from_what", "to_kind", "to_what"], ["moved_cents"])


#: The last day of the period of each.
LAST = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


def ends_here(ledger: Ledger, freq: str) -> sql.Cells:
    """Take the periods that are over: SQL says nothing of the others."""
    frame = ledger.balance_history(freq=freq)
    is_end = frame["date"] == frame["date"].dt.to_period(LAST[freq]).dt.end_time.dt.normalize()
    frame = frame[is_end & (frame["date"] < frame["date"].max())]
    return cells(frame, ["date", "account_id"], ["balance_cents"])


def ends_told(db: duckdb.DuckDBPyConnection, zone: str, freq: str) -> sql.Cells:
    return sql.ends(db, freq, zone, MOVEMENTS.partition("ORDER BY")[0])


def compared_here(ledger: Ledger, by_day: str) -> sql.Cells:
    """Compare the month that runs with the one before, and that one with the one before it."""
    now = _clock(ledger)
    running = ledger.compare(f"{now:%Y-%m}", by_day=by_day)
    over = ledger.compare(f"{now - pd.DateOffset(months=1):%Y-%m}", by_day=by_day, whole=True)
    both = pd.concat([running.assign(which="running"), over.assign(which="over")])
    return nonzero(cells(both, ["which", "category"], ["spent_cents", "before_cents"]))


def compared_told(
    db: duckdb.DuckDBPyConnection, zone: str, now: pd.Timestamp, by_day: str
) -> sql.Cells:
    month = now.normalize().replace(day=1)
    last, before = month - pd.DateOffset(months=1), month - pd.DateOffset(months=2)
    spans = {
        "running": [(month, now), (last, last + (now - month))],
        "over": [(last, month), (before, last)],
    }
    return {
        (which, name): tuple(sums)
        for which, bounds in spans.items()
        for name, sums in sql.compared(db, zone, bounds, by_day).items()
    }


@cache
def _clock(ledger: Ledger) -> pd.Timestamp:
    """Say what the clock of the zone showed at the last sync."""
    seen = pd.Timestamp(ledger.certificate().last_sync_at)
    return seen.tz_convert(zone_of(ledger)).tz_localize(None)


def printed_here(ledger: Ledger) -> sql.Cells:
    settings = {
        "SEQUENCE_DATA_DIR": str(ledger.categories_path.parent),
        "SEQUENCE_TIMEZONE": zone_of(ledger),
        "SEQUENCE_APP_URL": ledger.transfers.attrs["seqdata"]["app_url"],
    }
    words = ["spending", "--by", "category", "--freq", "month", "--json", "--limit", "0"]
    done = CliRunner(env=settings).invoke(cli, words)
    assert done.exit_code == 0, done.output
    return nonzero(
        {
            (date.fromisoformat(row["period"][:10]), row["category"]): (
                row["spent_cents"], row["open_cents"], row["transfers"],
            )
            for row in json.loads(done.stdout)
        }
    )  # fmt: skip


class Judge(NamedTuple):
    """A table of ours, and what SQL says of it in a zone, at a moment of its clock."""

    here: Callable[[Ledger], sql.Cells]
    told: Callable[[duckdb.DuckDBPyConnection, str, pd.Timestamp], sql.Cells]


@cache
def _here(judge: Judge, reader: Ledger) -> sql.Cells:
    return judge.here(reader)


def _spending(*words: str | None) -> Judge:
    return Judge(
        lambda ledger: spent_here(ledger, *words),
        lambda db, zone, _: spent_told(db, zone, *words),
    )


def _flows(*words: str | None) -> Judge:
    return Judge(
        lambda ledger: flows_here(ledger, *words),
        lambda db, zone, _: flows_told(db, zone, *words),
    )


def _compared(by_day: str) -> Judge:
    return Judge(
        lambda ledger: compared_here(ledger, by_day),
        lambda db, zone, now: compared_told(db, zone, now, by_day),
    )


@cache
def _focus(ledger: Ledger) -> tuple[str, str, str]:
    """Find the purchase that is a cent wrong: its pod, category and payee."""
    rows = ledger.categorized().drop_duplicates("id")
    created, settled_ = (rows[name].dt.tz_convert("UTC") for name in ("created_at", "effective_at"))
    chosen = rows[
        rows["source_party"].isin(["pod", "port"]) & (rows["destination_party"] == "merchant")
        & (rows["state"] == "settled") & rows["returned_at"].isna()
        & (created.dt.month == settled_.dt.month)
        & (created < created.max() - pd.Timedelta(days=33))
    ].sort_values(["created_at", "id"], ascending=[False, True])  # fmt: skip
    one = chosen.iloc[0]
    return str(one["source_id"]), str(one["category"]), str(one["destination_name"]).split()[0]


def _pods(pod: str) -> str:
    return f"({sql.one_of('source_id', [pod])} OR {sql.one_of('destination_id', [pod])})"


def _and_one_more(category: str) -> list[str]:
    return [category, "Internal" if category != "Internal" else "Groceries"]


#: Filters of one word or several: what is asked of us, and of SQL, of the purchase in focus.
FILTERS: dict[str, Judge] = {
    "spending of a pod": Judge(
        lambda ledger: spent_here(ledger, "category", "week", "paid", account=_focus(ledger)[0]),
        lambda db, zone, _: spent_told(
            db, zone, "category", "week", "paid", _pods(sql.focus(db)[1])
        ),
    ),
    "spending of a category": Judge(
        lambda ledger: spent_here(ledger, "pod", None, "paid", category=_focus(ledger)[1]),
        lambda db, zone, _: spent_told(
            db, zone, "pod", None, "paid", sql.one_of("category", [sql.focus(db)[2]])
        ),
    ),
    "spending of two categories": Judge(
        lambda ledger: spent_here(
            ledger, None, "month", "settled", category=_and_one_more(_focus(ledger)[1])
        ),
        lambda db, zone, _: spent_told(
            db, zone, None, "month", "settled",
            sql.one_of("category", _and_one_more(sql.focus(db)[2])),
        ),
    ),
    "spending with moves": Judge(
        lambda ledger: spent_here(ledger, "category", "month", "paid", include_moves=True),
        lambda db, zone, _: spent_told(db, zone, "category", "month", "paid", "true", True),
    ),
    "cash flow of a pod": Judge(
        lambda ledger: flows_here(
            ledger, "account", "month", "sequence", account=_focus(ledger)[0]
        ),
        lambda db, zone, _: flows_told(
            db, zone, "account", "month", "sequence", sql.one_of("account_id", [sql.focus(db)[1]])
        ),
    ),
    "cash flow of two categories": Judge(
        lambda ledger: flows_here(
            ledger, None, "month", "own", category=_and_one_more(_focus(ledger)[1])
        ),
        lambda db, zone, _: flows_told(
            db, zone, None, "month", "own",
            sql.one_of("category", _and_one_more(sql.focus(db)[2])),
        ),
    ),
    **{
        f"transfers with {count} texts": Judge(
            lambda ledger, count=count: texts_here(ledger, [_focus(ledger)[2], "rent"][:count]),
            lambda db, zone, _, count=count: sql.texts(db, [_word(db), "rent"][:count]),
        )
        for count in (1, 2)
    },
}  # fmt: skip


def _word(db: duckdb.DuckDBPyConnection) -> str:
    (name,) = db.execute(
        "SELECT destination_name FROM transfers WHERE id = ?", [sql.focus(db)[0]]
    ).fetchall()
    return str(name[0]).split()[0]


JUDGES = {
    **FILTERS,
    **{
        f"shares of {by} by {freq}": Judge(
            lambda ledger, by=by, freq=freq: shares_here(ledger, by, freq),
            lambda db, zone, _, by=by, freq=freq: nonzero(sql.shares(db, GROUPS[by], freq, zone)),
        )
        for by, freq in (("category", "month"), ("payee", "quarter"), ("pod", "week"))
    },
    **{
        f"balances at the end of each {freq}": Judge(
            lambda ledger, freq=freq: ends_here(ledger, freq),
            lambda db, zone, _, freq=freq: ends_told(db, zone, freq),
        )
        for freq in FREQS
    },
    **{
        f"spending by {by} and {freq}, {by_day}": _spending(by, freq, by_day)
        for by, freq, by_day in product((None, *GROUPS), (None, *FREQS), ("paid", "settled"))
    },
    **{
        f"cash flow by {by} and {freq}, {boundary}": _flows(by, freq, boundary)
        for by, freq, boundary in product((None, "account", "category"), FREQS, ("sequence", "own"))
    },
    **{f"compare, {by_day}": _compared(by_day) for by_day in ("paid", "settled")},
    "money flow": Judge(moved_here, lambda db, *_: sql.money_flow(db)),
    "seqdata spending": Judge(
        printed_here, lambda db, zone, _: spent_told(db, zone, "category", "month", "paid")
    ),
}


@pytest.fixture(scope="module", params=JUDGES)
def judge(request: pytest.FixtureRequest) -> Judge:
    return JUDGES[request.param]


@pytest.fixture(scope="module")
def db(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    with sql.opened(world.folder, world.labels) as made:
        yield made


@pytest.fixture(scope="module")
def wrong(
    world: World, db: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a copy of the tables in which one purchase of this month was a cent more."""
    folder = tmp_path_factory.mktemp("wrong") / "tables"
    shutil.copytree(world.folder, folder)
    a_cent_more(folder, sql.focus(db)[0])
    with sql.opened(folder, world.labels) as made:
        yield made


def a_cent_more(folder: Path, transfer: str) -> None:
    """Add a cent to a transfer in the Parquet files of a folder."""
    for path in (folder / "transfers").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        rows = zip(table["id"].to_pylist(), table["amount_cents"].to_pylist(), strict=True)
        cents = [one + 1 if own == transfer else one for own, one in rows]
        place = table.schema.get_field_index("amount_cents")
        pq.write_table(
            table.set_column(place, table.schema.field(place), pa.array(cents, pa.int64())), path
        )


def test_each_sum_is_that_of_the_tables(
    world: World, judge: Judge, db: duckdb.DuckDBPyConnection
) -> None:
    """Each cell of each table is what SQL makes of the Parquet files, and no row more or less."""
    for zone, reader in world.readers.items():
        assert _here(judge, reader) == judge.told(db, zone, _clock(reader))


def test_one_cent_of_one_row_is_found(
    world: World,
    judge: Judge,
    db: duckdb.DuckDBPyConnection,
    wrong: duckdb.DuckDBPyConnection,
) -> None:
    """A cent more in one purchase of the files changes what each judge says."""
    for zone, reader in world.readers.items():
        now = _clock(reader)
        if not judge.told(db, zone, now):
            pytest.skip("no such period ended in this world")
        assert judge.told(wrong, zone, now) != judge.told(db, zone, now) == _here(judge, reader)
