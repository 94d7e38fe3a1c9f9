"""Measured in a child: ``cache_sync SIZE FOLDER``, a first sync of made-up pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd  # noqa: F401
import pyarrow.dataset  # noqa: F401
import pyarrow.parquet as pq  # noqa: F401

from benchmarks.made_up import APP_URL, NOW, ORGANIZATION, transfer_rows
from benchmarks.meter import Meter, answer
from seqdata.sources.base import Drift, Page, Snapshot, TransferDetails, Window
from seqdata.store import Store
from seqdata.sync import sync


class MadeUpSource:
    """A source of so many transfers, the same ones as in the caches; made as they are asked."""

    name = "made up"
    organization_id = ORGANIZATION
    page_sizes = (100,)

    def __init__(self, size: int) -> None:
        self._size = size
        self.requests = 0
        self.drift = Drift()

    def fetch_accounts(self) -> Snapshot:
        """No accounts."""
        self.requests += 1
        return Snapshot([], [], NOW)

    def fetch_page(
        self,
        window: Window,  # noqa: ARG002
        cursor: str,
        size: int,
        *,
        with_count: bool,
    ) -> Page:
        """Make the next transfers; the cursor is a number. A window is left to the sync."""
        self.requests += 1
        start = int(cursor or 0)
        end = min(start + size, self._size)
        return Page(
            rows=transfer_rows(start, end - start),
            cursor=str(end),
            has_next_page=end < self._size,
            served_at=NOW,
            count=self._size if with_count else None,
        )

    def fetch_details(self, transfer_ids: Sequence[str]) -> TransferDetails:
        """Refuse: every transfer comes on a page."""
        raise NotImplementedError(transfer_ids)

    def read_again(self, stream: str, said: Sequence[object]) -> list[dict[str, object]]:
        """Refuse: there are no raw answers to keep."""
        raise NotImplementedError(stream, said)


def first_sync(size: int, folder: Path) -> tuple[int, bool | None]:
    """Sync so many transfers; return the rows on disk and whether they are complete."""
    store = Store.open(folder, ORGANIZATION, app_url=APP_URL)
    report = sync(MadeUpSource(size), store)
    return report.rows, report.is_complete


def main() -> None:
    """Sync in one go."""
    transfer_rows(0, 1)  # the generator's own memory is not the sync's
    with Meter() as meter:
        rows, is_complete = first_sync(int(sys.argv[1]), Path(sys.argv[2]))
    answer({**meter.facts(), "rows": rows, "is_complete": is_complete})


if __name__ == "__main__":
    main()
