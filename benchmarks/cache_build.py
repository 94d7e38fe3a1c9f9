"""Make a cache of made-up transfers: ``cache_build SIZE FOLDER``."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import say
from benchmarks.made_up import A_MONTH, APP_URL, NOW, ORGANIZATION, transfer_rows
from benchmarks.meter import answer
from seqdata.sources.base import Page
from seqdata.store import Store

_AT_ONCE = 12 * A_MONTH


def build(folder: Path, size: int) -> Store:
    """Upsert a year at once; the state says that a first sync was complete."""
    store = Store.open(folder, ORGANIZATION, app_url=APP_URL)
    with store.lock():
        for start in range(0, size, _AT_ONCE):
            rows = transfer_rows(start, min(_AT_ONCE, size - start))
            store.take(Page(rows, "", has_next_page=False, served_at=NOW))
        done = replace(store.read_state(), last_sync_at=NOW, last_full_at=NOW, service_count=size)
        store.write_state(done)
    return store


def main() -> None:
    """Build anew, so that what is measured is what today's code writes."""
    size, folder = int(sys.argv[1]), Path(sys.argv[2])
    say(f"making a cache of {size:,} transfers")
    shutil.rmtree(folder, ignore_errors=True)
    build(folder, size)
    answer({"built": size})


if __name__ == "__main__":
    main()
