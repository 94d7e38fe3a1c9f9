"""What a cache of a million transfers costs: loading, upserting, and its first sync."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.harness import DATA, Facts, Figure, Result, alternate, measure, median, wants_quick

SIZES, QUICK_SIZES = (100_000, 1_000_000), (20_000, 100_000)
ROUNDS, QUICK_ROUNDS = 5, 3

LOAD, PLAIN = ".transfers", "pyarrow: read and convert"
#: What others need for the same files; shown, and decide nothing.
OTHERS = ("Polars: read", "DuckDB: read and convert")

#: Most MB above the imports of a first sync, where there is a target.
MOST_MB = {100_000: 100}


def run(*, quick: bool = False) -> Result:
    """Measure both caches."""
    columns = ["what", "transfers", "seconds", "CPU s", "MB"]
    result = Result("cache_size", "What a large cache costs", columns, quick=quick)
    sizes = QUICK_SIZES if quick else SIZES
    folders = {size: DATA / f"cache-{size}" for size in sizes}
    for size, folder in folders.items():
        measure("cache_build", size, folder)
    for size, folder in folders.items():
        _load(result, size, folder, QUICK_ROUNDS if quick else ROUNDS)
    _upsert(result, folders)
    for size in sizes:
        _first_sync(result, size)
    result.notes = [
        "4,000 transfers a month. Loading: fresh processes in turn; each loads once to warm up,"
        " then the median of three. The same columns are converted:"
        " `pq.read_table(...).to_pandas()`. Polars keeps a frame of its own; DuckDB makes pandas'.",
        "Upsert: 500 transfers of the newest month, 5 of them changed; each with its own lock, as"
        " one program after the other; the two caches in turn in one process, on copies.",
        "First sync: the sync itself, 100 transfers a page, made up as it asks; no network.",
    ]
    return result


def _load(result: Result, size: int, folder: Path, rounds: int) -> None:
    ways = {name: partial(measure, "cache_load", name, folder) for name in (LOAD, PLAIN, *OTHERS)}
    found = alternate(ways, rounds)
    for name, facts in found.items():
        _add(result, f"load: {name}", size, facts)
    ratio = median(found[LOAD], "seconds") / median(found[PLAIN], "seconds")
    what = f"loading {size:,} transfers over pyarrow's reading and converting"
    result.figures.append(Figure(what, f"{ratio:.2f} x", "≤ 1.2 x", ratio <= 1.2))


def _upsert(result: Result, folders: dict[int, Path]) -> None:
    facts = measure("cache_upsert", *folders.values())
    small, large = folders
    for size in folders:
        row = facts[f"cache-{size}"]
        result.raw.append({"what": "upsert of 500", "transfers": size, **row})
        result.rows.append(
            ["upsert of 500", f"{size:,}", f"{row['median']:.3f}", f"{row['cpu']:.3f}", "-"]
        )
    seconds = facts[f"cache-{small}"]["median"]
    ratio = facts[f"cache-{large}"]["median"] / seconds
    result.figures += [
        Figure(f"upsert of 500 into {small:,}, committed and published",
               f"{seconds * 1000:.0f} ms", "< 150 ms", seconds < 0.15),
        Figure(f"the same into {large:,}, of that", f"{ratio:.2f} x", "≤ 1.3 x", ratio <= 1.3),
    ]  # fmt: skip


def _first_sync(result: Result, size: int) -> None:
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        facts = measure("cache_sync", size, folder)
    _add(result, "first sync", size, [facts])
    peak = facts["peak_mb"]
    if most := MOST_MB.get(size):
        what = f"peak memory of a first sync of {size:,}, above the imports"
        result.figures.append(Figure(what, f"{peak:.0f} MB", f"≤ {most} MB", peak <= most))


def _add(result: Result, what: str, size: int, facts: list[Facts]) -> None:
    result.rows.append([
        what, f"{size:,}", f"{median(facts, 'seconds'):.2f}",
        f"{median(facts, 'cpu_seconds'):.2f}", f"{median(facts, 'peak_mb'):.0f}",
    ])  # fmt: skip
    result.raw.extend({"what": what, "transfers": size, **each} for each in facts)


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
