"""Measured in a child: ``cache_load WAY FOLDER``, our DataFrame or another library's."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset  # noqa: F401
import pyarrow.parquet as pq

from benchmarks.cache_size import LOAD, OTHERS, PLAIN
from benchmarks.made_up import APP_URL, ORGANIZATION
from benchmarks.meter import Meter, answer
from seqdata.config.settings import Settings
from seqdata.ledger import Ledger
from seqdata.sources.schemas import TRANSFERS

_REPEATS = 3


def ours(folder: Path) -> pd.DataFrame:
    """Load through the ledger."""
    settings = Settings(app_url=APP_URL, data_dir=folder, org_id=ORGANIZATION)
    return Ledger(settings).transfers


def plain(folder: Path) -> pd.DataFrame:
    """Read and convert the same columns with pyarrow alone."""
    return pq.read_table(_files(folder), columns=_columns()).to_pandas()


def polars_frame(folder: Path) -> Any:
    """Read the same columns with Polars."""
    import polars as pl

    found = pl.scan_parquet(_files(folder) / "**" / "*.parquet", hive_partitioning=False)
    return found.select(_columns()).collect()


def duckdb_frame(folder: Path) -> pd.DataFrame:
    """Read the same columns with DuckDB, into pandas."""
    import duckdb

    found = duckdb.read_parquet(str(_files(folder) / "**" / "*.parquet"), hive_partitioning=False)
    return found.select(*_columns()).to_arrow_table().to_pandas()


WAYS = dict(zip((LOAD, PLAIN, *OTHERS), (ours, plain, polars_frame, duckdb_frame), strict=True))


def _files(folder: Path) -> Path:
    return folder / "cache" / ORGANIZATION / "transfers"


def _columns() -> list[str]:
    return [name for name in TRANSFERS.names if name != "removed_at"]


def main() -> None:
    """Load some times; the first one, which warms up, is not measured but for memory."""
    load, folder = WAYS[sys.argv[1]], Path(sys.argv[2]).absolute()
    with Meter() as memory:
        rows = len(load(folder))
    seconds, cpu = [], []
    for _ in range(_REPEATS):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        load(folder)
        seconds.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - begin_cpu)
    answer({
        "seconds": statistics.median(seconds), "cpu_seconds": statistics.median(cpu),
        "peak_mb": memory.peak_mb, "first_seconds": memory.seconds, "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
