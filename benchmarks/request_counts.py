"""Requests of a first sync, of one with nothing new, and of the next day, against their bounds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.harness import Facts, Figure, Result, measure, wants_quick
from benchmarks.sandbox_process import SandboxProcess

#: scale and months of the households
SIZES = ((1, 24), (10, 24))
QUICK_SIZES = ((1, 6),)

FINAL = {"COMPLETE", "FAILED", "CANCELLED", "INCOMPLETE", "ERROR"}


def first_bound(transfers: int, page_size: int) -> int:
    """Most requests of a first sync: the pages and three."""
    return ceil(transfers / page_size) + 3


def later_bound(overlap_rows: int, open_outside: int, page_size: int) -> int:
    """Most requests of a later sync: the overlap's pages, two, and the older open transfers."""
    return ceil(overlap_rows / page_size) + 2 + open_outside


def overlap_and_open(transfers: Iterable[dict[str, Any]], since: datetime) -> tuple[int, int]:
    """Count the transfers from `since` on, and the open ones before it."""
    overlap = open_outside = 0
    for each in transfers:
        if datetime.fromisoformat(each["created_at"]) >= since:
            overlap += 1
        elif each["status"] not in FINAL:
            open_outside += 1
    return overlap, open_outside


def run(*, quick: bool = False) -> Result:
    """Measure each household."""
    columns = ["sync", "transfers", "page", "requests", "bound", "seconds", "complete"]
    result = Result("request_counts", "Requests and seconds of a sync", columns, quick=quick)
    for scale, months in QUICK_SIZES if quick else SIZES:
        _household(result, scale, months)
    result.notes = [
        "First: ceil(transfers / page) + 3. Nothing new: ceil(transfers of the 30 days' overlap"
        " / page) + 2 + older open ones. Next day: the same bound, after the world went on a day.",
        "Requests are counted by the sandbox. Seconds are without pace, DataFrame included.",
    ]
    return result


def _household(result: Result, scale: int, months: int) -> None:
    with SandboxProcess(scale, months) as box, tempfile.TemporaryDirectory() as folder:
        given = {"connection": box.connection, "folder": str(Path(folder))}
        for kind in ("first", "nothing new", "next day"):
            if kind == "next day":
                box.advance(1)
            box.take_requests()
            facts = measure("our_side", given=given) | {"sync": kind}
            facts["requests"] = box.take_requests()
            _add(result, facts, box.transfers())


def _add(result: Result, facts: Facts, transfers: list[dict[str, Any]]) -> None:
    kind, page_size = facts["sync"], facts["page_size"]
    if kind == "first":
        bound = first_bound(len(transfers), page_size)
    else:
        # The overlap of the next day begins with the newest of the day before: more rows.
        counted = overlap_and_open(transfers, datetime.fromisoformat(facts["since"]))
        bound = later_bound(*counted, page_size)
    facts.pop("statuses")
    result.raw.append(facts | {"bound": bound})
    result.rows.append([
        kind, f"{len(transfers):,}", str(page_size), str(facts["requests"]), str(bound),
        f"{facts['seconds']:.2f}", str(facts["is_complete"]),
    ])  # fmt: skip
    result.figures.append(Figure(
        f"requests, {kind}, {len(transfers):,} transfers", str(facts["requests"]),
        f"≤ {bound}", facts["requests"] <= bound and page_size <= 100,
    ))  # fmt: skip


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
