"""Measured in a child: ``cache_upsert FOLDER…``, 500 rows into copies of caches, in turn."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.made_up import APP_URL, NOW, ORGANIZATION, transfer_rows
from benchmarks.meter import answer
from seqdata.sources.base import Page
from seqdata.sources.rows import Row
from seqdata.store import Store

ROWS, CHANGED = 500, 5
_REPEATS = 21


def delivery(number: int) -> list[Row]:
    """Make the newest 500 transfers, of which five were described anew."""
    rows = transfer_rows(0, ROWS)
    changed = [{**row, "description": f"Changed {number}"} for row in rows[:CHANGED]]
    return changed + rows[CHANGED:]


def main() -> None:
    """Write in turn; the first write of each warms up."""
    folders = [Path(argument) for argument in sys.argv[1:]]
    seconds: dict[str, list[float]] = {folder.name: [] for folder in folders}
    cpu: dict[str, list[float]] = {folder.name: [] for folder in folders}
    with tempfile.TemporaryDirectory(dir=folders[0].parent) as scratch:
        stores = {}
        for folder in folders:
            shutil.copytree(folder, Path(scratch) / folder.name)
            copied = Path(scratch) / folder.name
            stores[folder.name] = Store.open(copied, ORGANIZATION, app_url=APP_URL)
        for number in range(_REPEATS + 1):
            rows = delivery(number)
            for name, store in stores.items():
                begin, begin_cpu = time.perf_counter(), time.process_time()
                store.take(Page(rows, "", has_next_page=False, served_at=NOW))
                seconds[name].append(time.perf_counter() - begin)
                cpu[name].append(time.process_time() - begin_cpu)
    answer({
        name: {
            "median": statistics.median(seconds[name][1:]), "least": min(seconds[name][1:]),
            "most": max(seconds[name][1:]), "cpu": statistics.median(cpu[name][1:]),
            "first": seconds[name][0],
        }
        for name in seconds
    })  # fmt: skip


if __name__ == "__main__":
    main()
