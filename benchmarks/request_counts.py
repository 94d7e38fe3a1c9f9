"""Requests of a first sync and of later ones, against their bounds; of a day of new words too."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil, floor
from pathlib import Path
from typing import Any

from benchmarks.harness import Facts, Figure, Result, measure, wants_quick
from benchmarks.sandbox_process import SandboxProcess
from seqdata.core.moments import moment_of
from seqdata.store import Store
from seqdata.sync.plan import OpenTransfer, decide, widen

#: scale and months of the households
SIZES = ((1, 24), (10, 24))
QUICK_SIZES = ((1, 6),)

NEW_WORDS = "every status a new word"
OVERLAP, RESCAN = timedelta(days=30), timedelta(days=90)

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
        " / page) + 2 + older open ones. Next day: the same bound, after the world went on a day."
        " Every status a new word: a quarter more than that day took.",
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
            _add(result, facts, _bound(facts, box.transfers()))
        _new_words(result, box, Path(folder), calm=facts["requests"])


def _new_words(result: Result, box: SandboxProcess, folder: Path, calm: int) -> None:
    """Let every status be a word that nobody knows: all are open, and none can be asked for."""
    box.fail(
        kind="unknown_value", field="status", row=None, times=1_000_000,
        operation="ActivityLogV2Transfers",
    )  # fmt: skip
    given = {"connection": box.connection, "folder": str(folder)}
    measure("our_side", given={**given, "full": True})
    box.take_requests()
    facts = measure("our_side", given=given) | {"requests": box.take_requests()}
    seconds = _seconds_to_decide(box, folder)
    _add(result, facts | {"sync": NEW_WORDS, "deciding": seconds}, floor(calm * 1.25))
    what = f"seconds to decide what to read, {NEW_WORDS}, {facts['rows']:,} transfers"
    result.figures.append(Figure(what, f"{seconds:.2f}", "< 1", seconds < 1))


def _seconds_to_decide(box: SandboxProcess, folder: Path) -> float:
    connection = box.connection
    store = Store.open(folder, connection["organization_id"], app_url=connection["app_url"])
    began = time.perf_counter()
    state = store.read_state()
    assert state.last_sync_at is not None
    plan = decide(state, overlap=OVERLAP, rescan=RESCAN, now=state.last_sync_at)
    waiting = [OpenTransfer(id_, moment_of(made)) for id_, made in store.open_transfers()]
    widen(plan, waiting, store.created_moments(), 100, state.last_sync_at)
    return time.perf_counter() - began


def _bound(facts: Facts, transfers: list[dict[str, Any]]) -> int:
    if facts["sync"] == "first":
        return first_bound(len(transfers), facts["page_size"])
    # The overlap of the next day begins with the newest of the day before: more rows.
    counted = overlap_and_open(transfers, datetime.fromisoformat(facts["since"]))
    return later_bound(*counted, facts["page_size"])


def _add(result: Result, facts: Facts, bound: int) -> None:
    kind, page_size, rows = facts["sync"], facts["page_size"], facts["rows"]
    facts.pop("statuses")
    result.raw.append(facts | {"bound": bound})
    result.rows.append([
        kind, f"{rows:,}", str(page_size), str(facts["requests"]), str(bound),
        f"{facts['seconds']:.2f}", str(facts["is_complete"]),
    ])  # fmt: skip
    result.figures.append(Figure(
        f"requests, {kind}, {rows:,} transfers", str(facts["requests"]),
        f"≤ {bound}", facts["requests"] <= bound and page_size <= 100,
    ))  # fmt: skip


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
