"""The pieces of the benchmarks work; what they measure is never tested here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.analysis_side import functions, tables
from benchmarks.cache_build import build
from benchmarks.cache_load import WAYS
from benchmarks.cache_size import LOAD
from benchmarks.cache_sync import first_sync
from benchmarks.harness import Figure, Result, alternate, table
from benchmarks.made_up import A_MONTH, ORGANIZATION, transfer_rows
from benchmarks.meter import Meter
from benchmarks.request_counts import first_bound, later_bound, overlap_and_open
from benchmarks.summary import read_results, readme, summary
from seqdata.sources.schemas import TRANSFER_ROWS


def test_made_up_transfers_are_valid_rows_newest_first() -> None:
    """The generator gives rows of the documented columns, ids unique, newest first."""
    rows = transfer_rows(A_MONTH - 50, 100)
    columns = {name for row in rows for name in row}
    told_in_details = {"organization_id", "settled_at", "returned_at"}
    assert columns == {*TRANSFER_ROWS.names} - told_in_details
    assert len({row["id"] for row in rows}) == 100
    moments = [row["created_at"] for row in rows]
    assert moments == sorted(moments, reverse=True)
    assert min(row["amount_cents"] for row in rows) > 0


def test_a_slice_of_the_made_up_history_is_always_the_same() -> None:
    """Pages of a sync and rows of a cache are the same transfers."""
    assert transfer_rows(0, 200)[100:] == transfer_rows(100, 100)


def test_bounds_of_requests() -> None:
    """A first sync may take its pages and three; a later one the overlap's, two, and the open."""
    assert first_bound(4_001, 100) == 44
    assert later_bound(175, 3, 100) == 7
    rows = [
        {"created_at": "2026-10-20T00:00:00Z", "status": "COMPLETE"},
        {"created_at": "2026-09-01T00:00:00Z", "status": "PENDING"},
        {"created_at": "2026-09-01T00:00:00Z", "status": "FAILED"},
    ]
    assert overlap_and_open(rows, datetime(2026, 10, 1, tzinfo=UTC)) == (1, 1)


def test_a_made_up_cache_loads_in_every_way(tmp_path: Path) -> None:
    """Our DataFrame and those of the other libraries have the same rows."""
    build(tmp_path, 300)
    ids = {name: set(load(tmp_path)["id"]) for name, load in WAYS.items()}
    assert len(ids) == 4
    assert all(len(found) == 300 and found == ids[LOAD] for found in ids.values())


def test_a_first_sync_of_made_up_pages_is_complete(tmp_path: Path) -> None:
    """The sync takes the made-up source for a service."""
    assert first_sync(450, tmp_path) == (450, True)
    assert (tmp_path / "cache" / ORGANIZATION / "transfers").is_dir()


def test_contenders_take_turns() -> None:
    """Each round begins with the next contender, and all run equally often."""
    order: list[str] = []

    def runs(name: str) -> dict[str, str]:
        order.append(name)
        return {}

    found = alternate({"a": lambda: runs("a"), "b": lambda: runs("b")}, 2)
    assert order == ["a", "b", "b", "a"]
    assert {name: len(facts) for name, facts in found.items()} == {"a": 2, "b": 2}


def test_a_meter_measures_its_block() -> None:
    """Seconds, CPU seconds and memory are there and not negative."""
    with Meter() as meter:
        sum(range(1_000))
    assert all(value >= 0 for value in meter.facts().values())


def test_results_become_a_summary(tmp_path: Path) -> None:
    """What a benchmark writes is read again, with what was missed said below the table."""
    figures = [Figure("help", "0.1 s", "< 0.4 s", met=True), Figure("size", "9", "< 8", met=False)]
    Result("start_up", "Start", ["command", "s"], [["help", "0.1"]], figures).publish(tmp_path)
    found = read_results(tmp_path)
    assert "1 of 2 targets met" in summary(found)
    assert "- Missed: size: 9, aimed at < 8." in readme(found)
    assert json.loads((tmp_path / "start_up.json").read_text())["machine"]["cores"]


def test_tables_are_markdown() -> None:
    """Columns line up, and figures stand at the right."""
    assert table(["what", "n"], [["a", "10"]]).splitlines() == [
        "| what |  n |",
        "| ---- | -: |",
        "| a    | 10 |",
    ]


def test_the_analysis_is_measured_on_what_a_ledger_would_give() -> None:
    """The tables laid one before the other have unique ids, and every function takes them."""
    here = tables(3_000, months=4)
    assert here.transfers["id"].is_unique
    assert set(here.transfers["id"]) <= set(here.legs["id"])
    assert len(here.transfers) == 3_000
    assert all(isinstance(made(), pd.DataFrame) for made in functions(here).values())
