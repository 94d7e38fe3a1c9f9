"""Transfers a second, per core: from the bytes of answers to rows in Parquet."""

from __future__ import annotations

import tempfile
from functools import partial

from benchmarks.answers import PAGE, answer_files
from benchmarks.harness import Facts, Figure, Result, alternate, measure, median, wants_quick
from benchmarks.peer_environment import peer_python

PAGES, QUICK_PAGES = 200, 100
ROUNDS, QUICK_ROUNDS = 5, 3

OURS, STORE = "seqdata, one file", "seqdata, into the store"
BARE, PEER = "bare json.loads and DataFrame", "peer"


def run(*, quick: bool = False) -> Result:
    """Run all ways over the same bytes, in turn."""
    columns = ["program", "transfers a CPU second", "CPU s", "seconds", "MB"]
    result = Result("raw_speed", "From bytes to Parquet on one core", columns, quick=quick)
    files = [str(path) for path in answer_files(QUICK_PAGES if quick else PAGES)]
    contenders = {
        OURS: partial(_measure, "raw_ours", files, way="ours"),
        STORE: partial(_measure, "raw_ours", files, way="store"),
        BARE: partial(_measure, "raw_ours", files, way="bare"),
        PEER: partial(_measure, "raw_peer", files, python=peer_python()),
    }
    found = alternate(contenders, QUICK_ROUNDS if quick else ROUNDS)
    speeds = {name: _add(result, name, facts) for name, facts in found.items()}
    ours = speeds[OURS]
    result.figures = [
        Figure("raw speed over the peer's", f"{ours / speeds[PEER]:.1f} x", "≥ 2 x",
               ours >= 2 * speeds[PEER]),
        Figure("raw speed over a bare DataFrame's", f"{ours / speeds[BARE]:.2f} x", "≥ 1 x",
               ours >= speeds[BARE]),
    ]  # fmt: skip
    result.notes = [
        f"{len(files)} answers of {PAGE} transfers, the same bytes for all, read before the"
        " measurement; medians. Arrow's own threads are switched off.",
        "One file: read and checked as a rebuild does, then one Parquet file. Into the store:"
        " merged by id into months with index and history, 50 pages at once.",
    ]
    return result


def _measure(module: str, files: list[str], **options: str) -> Facts:
    python = {"python": options.pop("python")} if "python" in options else {}
    with tempfile.TemporaryDirectory() as folder:
        return measure(module, given={"files": files, "folder": folder, **options}, **python)


def _add(result: Result, name: str, facts: list[Facts]) -> float:
    cpu = median(facts, "cpu_seconds")
    speed: float = facts[0]["rows"] / cpu
    result.rows.append([
        name, f"{speed:,.0f}", f"{cpu:.2f}", f"{median(facts, 'seconds'):.2f}",
        f"{median(facts, 'peak_mb'):.0f}",
    ])  # fmt: skip
    result.raw.extend({"program": name, **each} for each in facts)
    return speed


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
