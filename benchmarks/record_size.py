"""Bytes of the record after a first sync and ninety daily ones, beside the JSON it was told."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Result, say, wants_quick
from benchmarks.our_side import ledger_of
from benchmarks.sandbox_process import SandboxProcess
from seqdata.sources.webapp.documents import document
from seqdata.store.known import RECORD

MONTHS, DAYS = 24, 90
QUICK_MONTHS, QUICK_DAYS = 6, 10

#: What a sync itself may add: its line in `runs`, and the balances that it saw.
A_SYNC = 2_048

_PAGES, _ACCOUNTS = "ActivityLogV2Transfers", "SelectSourceAndDestination"
_PAGE = 100


def run(*, quick: bool = False) -> Result:
    """Sync once, then daily; read all kept answers again."""
    months, days = (QUICK_MONTHS, QUICK_DAYS) if quick else (MONTHS, DAYS)
    columns = ["after", "transfers", "record bytes", "JSON bytes", "seconds"]
    result = Result("record_size", "What the record holds", columns, quick=quick)
    with SandboxProcess(1, months) as box, tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "ledgers" / box.connection["organization_id"] / RECORD
        said = _said(box)
        told = sum(map(len, said.values())) + len(_minified(_accounts(box)))
        began = time.perf_counter()
        _sync(box, folder)
        first = record.stat().st_size
        _row(result, "the first sync", len(said), first, told, time.perf_counter() - began)
        changed, seconds = 0, 0.0
        say(f"{days} daily syncs")
        for _ in range(days):
            box.advance(1)
            now = _said(box)
            changed += sum(len(text) for id_, text in now.items() if said.get(id_) != text)
            said, began = now, time.perf_counter()
            _sync(box, folder)
            seconds += time.perf_counter() - began
        grown = record.stat().st_size - first
        _row(result, f"{days} daily syncs more", len(said), grown, changed, seconds)
        with ledger_of(box.connection, Path(folder)) as ledger:
            began = time.perf_counter()
            ledger.rebuild()
            rebuilt = time.perf_counter() - began
        _row(
            result, "reading every kept answer again", len(said), record.stat().st_size, 0, rebuilt
        )
    may = 3 * changed + days * A_SYNC
    result.figures = [
        Figure("record after a first sync, of the JSON it was told", f"{first / told:.2f} x",
               "≤ 2 x", first <= 2 * told),
        Figure(f"record after {days} daily syncs, bytes more", f"{grown:,}",
               f"≤ {may:,} (3 x the JSON that changed, 2 KB a sync)", grown <= may),
        Figure(f"rebuild of {months} months and {days} daily syncs", f"{rebuilt:.2f} s", "< 2 s",
               rebuilt < 2),
    ]  # fmt: skip
    result.notes = [
        "JSON: each transfer as the service says it, without blanks, and the answer with the"
        " accounts; for the daily syncs the transfers that are new or said otherwise than the day"
        " before. Asked by this benchmark itself, not taken from the record.",
    ]
    return result


def _sync(box: SandboxProcess, folder: str) -> None:
    """Sync and close, so that the write-ahead log is folded in."""
    with ledger_of(box.connection, Path(folder)) as ledger:
        ledger.sync(progress=False)


def _said(box: SandboxProcess) -> dict[str, bytes]:
    """Ask for every transfer; return each one's JSON by its id."""
    found: dict[str, bytes] = {}
    after = ""
    while True:
        variables = {
            "organizationId": box.connection["organization_id"],
            "transferFilter": {}, "first": _PAGE, "after": after,
        }  # fmt: skip
        data = json.loads(box.ask(document(_PAGES), variables, _PAGES))["data"]
        connection = data["organization"]["transferReferences"]
        nodes = [edge["node"] for edge in connection["edges"]]
        found |= {node["id"]: _minified(node) for node in nodes}
        if not connection["pageInfo"]["hasNextPage"]:
            return found
        after = connection["pageInfo"]["endCursor"]


def _accounts(box: SandboxProcess) -> Any:
    return json.loads(box.ask(document(_ACCOUNTS), {}, _ACCOUNTS))


def _minified(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _row(result: Result, after: str, transfers: int, size: int, told: int, seconds: float) -> None:
    result.rows.append([after, f"{transfers:,}", f"{size:,}", f"{told:,}", f"{seconds:.2f}"])
    result.raw.append({"after": after, "bytes": size, "told": told, "seconds": seconds})


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
