"""The bar of a running sync, in a terminal and a notebook alike."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from seqdata.sync.report import OnProgress, Progress


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[OnProgress | None]:
    """Show a bar of transfers read, with the time left where the total is known."""
    if not enabled:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(unit=" transfers", desc="Syncing", disable=None, leave=False) as bar:
        stage = "transfers"

        def show(progress: Progress) -> None:
            nonlocal stage
            if progress.cost is not None:
                tqdm.write(str(progress.cost), file=sys.stderr)
            if progress.stage != stage or progress.read < bar.n:
                stage = progress.stage
                bar.reset()
                bar.set_description("Details" if stage == "details" else "Syncing")
            bar.total = progress.expected
            bar.update(progress.read - bar.n)

        yield show
